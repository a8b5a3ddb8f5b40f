package bridge

import (
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/clu-ws/clu-ws/bridge/engine"
)

// Subprotocol is what a client names in its request to speak v1 from the start.
const Subprotocol = "clu-ws.v1"

// client is a WebSocket client. There may be very many: 64 bytes are its size class, and
// what few have is behind one pointer (remote.go).
type client struct {
	number   uint64                  // unique in the bridge
	came     int64                   // when, in nanoseconds since 1970
	v1       atomic.Pointer[session] // nil while it is a plain one
	uncommon *uncommon               // nil if it has nothing uncommon; it does not change
	address  [16]byte                // see [client.remote]
	port     uint16
	family   family
	commands atomic.Int32 // commands without an outcome
	flags    atomic.Uint32
}

// The flags of a client.
const (
	clientLeaving = 1 << iota // the bridge closes it once all its commands have outcomes
	clientGone                // its connection broke, or the bridge closed it: outcomes cannot be told
	clientEnding              // it has sent its close frame, and its requests are answered
	clientLeft                // its connection has ended, however
	clientGoodbye             // it has sent its close frame
)

func (c *client) set(flag uint32) { c.flags.Or(flag) }
func (c *client) leaving() bool   { return c.flags.Load()&clientLeaving != 0 }

func (c *client) hasLeft() bool { return c.flags.Load()&clientLeft != 0 }

func (c *client) ending() bool { return c.flags.Load()&clientEnding != 0 }

// Gone implements [amqpx.Sender]. Commands followed by a close frame are still sent.
func (c *client) Gone() bool { return c.flags.Load()&clientGone != 0 }

// since is when the client came.
func (c *client) since() time.Time { return time.Unix(0, c.came) }

// session is what a v1 client has beyond a plain one.
type session struct {
	id      string
	address string        // see sharer
	lane    lane          // its tasks at the desk
	asked   atomic.Int32  // requests that wait for their answer
	early   atomic.Int32  // queued messages from before the greeting, and the greeting
	kept    atomic.Int64  // bytes of messages that wait
	batch   time.Duration // of subscriptions that do not say; it does not change
	skipped atomic.Bool   // it read too slowly, and skipped frames
	arrival *arrival      // until it is open; of its loop
	closed  atomic.Bool   // its connection has ended

	// The following fields are guarded by hub.mu.
	group    *group // nil before it follows anything
	subs     []subscription
	implicit bool         // the subscription was not asked for
	before   subscription // the one that was not asked for, when it has ended
	waiting  []*waiter    // what it asked for and has not yet, the oldest first
	gaps     uint64       // how many were told before it followed anything
	told     string       // the broker's state as it knows it
	gone     bool
}

// clientID names a client among those of all bridges.
func (b *Bridge) clientID(c *client) string {
	return b.cfg.Name + "-" + strconv.FormatUint(c.number, 10)
}

// newSession makes a client one that speaks v1.
func (b *Bridge) newSession(c *client) *session {
	s := &session{id: b.clientID(c), address: sharer(c.remote())}
	s.early.Store(1)
	c.v1.Store(s)
	return s
}

// arrival is what a client asks for in its request.
type arrival struct {
	session *session
	demand  *demand // nil for what everybody gets
	silent  bool    // it hears nothing until it subscribes
	batch   time.Duration
	wrong   error
}

// Accept accepts every upgrade, on any path, as CLU does, except from pages that may
// not use the bridge. Some paths are rooms. A client that names the subprotocol or has
// parameters in its URL speaks v1.
func (b *Bridge) Accept(r *engine.Request) (engine.Welcome, error) {
	if no := b.checkOrigin(r); no != nil {
		return engine.Welcome{}, no
	}
	target := r.Target()
	path, err := b.pathOf(target)
	if err != nil {
		return engine.Welcome{}, err
	}
	c := &client{number: b.clientsEver.Add(1), came: time.Now().UnixNano()}
	c.setRemote(remoteName(r.RemoteAddr()))
	if path != commonPath {
		c.rare().path = strings.Clone(path) // without the query, which may be long
	}
	if path := b.roomOf(c.path()); path != "" {
		return b.acceptRoom(r, c, target, path)
	}
	w := engine.Welcome{Log: b.hub.plain, Session: c}
	asked := namesSubprotocol(r.Header("Sec-WebSocket-Protocol"))
	a, given := arrivalOf(target)
	if !asked && !given {
		return w, nil
	}
	if asked {
		w.Subprotocol = Subprotocol
	}
	w.Log = nil // the hub has it follow, behind the greeting
	a.session = b.newSession(c)
	a.session.batch, a.session.arrival = a.batch, &a
	return w, nil
}

// Open greets a v1 client. A plain one hears replies and nothing else.
func (b *Bridge) Open(conn engine.Conn, v any) {
	c := v.(*client)
	b.arrived(c)
	if c.guest() != nil {
		b.openRoom(conn, c)
		return
	}
	if s := c.v1.Load(); s != nil && s.arrival != nil {
		a := s.arrival
		s.arrival = nil
		b.desk.do(func() { b.greet(conn, a) })
	}
}

// Closed forgets a client.
func (b *Bridge) Closed(_ engine.Conn, v any, code int, reason string) {
	c := v.(*client)
	if c.flags.Load()&clientGoodbye == 0 {
		c.set(clientGone)
	}
	c.set(clientLeft)
	b.left(c, code, reason)
	b.hub.inflight.leave(c)
	if c.guest() != nil {
		b.leaveRoom(c)
	}
	if s := c.v1.Load(); s != nil {
		s.closed.Store(true)
		b.desk.doFor(&s.lane, inTurns, func() { b.forget(s) })
	}
}

// greet sends the hello, and has the client follow what it asked for: every
// reply, if it did not say.
func (b *Bridge) greet(conn engine.Conn, a *arrival) {
	h, s := b.hub, a.session
	if s.closed.Load() {
		return // it has hung up
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	hello := helloMessage{
		Op: "hello", Session: s.id, Name: b.cfg.Name, Version: b.cfg.Version, Time: time.Now().UTC().Format(noticeTime),
		Epoch: h.epoch, Seq: h.known(), Broker: h.link, Capabilities: b.capabilities(),
	}
	defer s.early.Add(-1)
	s.told = h.link
	frames := []engine.Frame{frameOf(hello)}
	if a.wrong != nil {
		frames = append(frames, badRequest(nil, a.wrong))
	}
	if a.demand != nil {
		conn.Follow(nil, frames...)
		if d := *a.demand; d.waits() {
			b.desk.stepsFirst(&s.lane, inTurns, h.subscribe(conn, s, d, func() {}))
		} else {
			h.begin(&subscribing{hub: h, conn: conn, session: s, demand: d, answered: func() {}})
		}
		return
	}
	var subs []subscription
	if !a.silent {
		subs = []subscription{{wish: wish{filter: all(), batch: s.batch}, from: h.seq, early: h.loading}}
	}
	if h.regroup(conn, s, subs, frames) != nil {
		conn.Close(1013, "the clients of your address have too many different subscriptions; try again later")
		return
	}
	s.implicit = !a.silent
}

// forget ends a session.
func (b *Bridge) forget(s *session) {
	b.hub.mu.Lock()
	defer b.hub.mu.Unlock()
	b.hub.stopWaiting(s)
	if s.group != nil {
		b.hub.leave(s.group)
		b.hub.v1s--
		b.hub.showFigures()
	}
	s.group, s.gone = nil, true
}
