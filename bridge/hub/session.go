package hub

import (
	"sync/atomic"
	"time"

	"github.com/clu-ws/clu-ws/bridge/engine"
	"github.com/clu-ws/clu-ws/bridge/protocol"
)

// Session is a v1 client, as the hub knows it. There may be many, so it takes 352 bytes, which is
// a size class.
type Session struct {
	// ID is unique among all bridges.
	ID string
	// Batch is the batch time of subscriptions that do not give one. It does not change.
	Batch time.Duration
	// Connect is what the client asked for in its URL. It belongs to the connection's loop
	// until the connection is open.
	Connect *ConnectRequest
	// OnRooms, if set, is called with the rooms of each subscription that begins or ends, also
	// because the client leaves. Hub.mu is held. It is set before the client is greeted.
	OnRooms func(id string, paths []string, began bool)
	// Skipped reports whether the client read too slowly and skipped frames.
	Skipped atomic.Bool

	pendingRequests atomic.Int32 // requests without an answer
	address         string       // see [quota.Address]
	queue           clientQueue  // its requests
	pendingBytes    atomic.Int64 // bytes of messages that wait
	preHello        atomic.Int32 // messages that wait for the hello, and the hello itself
	closed          atomic.Bool  // its connection has ended

	// viewer is what the client may hear; nil is everything. It is set before the client is
	// greeted, and then with Hub.mu held.
	viewer atomic.Pointer[Viewer]
	plain  *PlainClient // what it follows until it is greeted; nil if that is nothing, or Hub.Plain

	// The following fields are guarded by Hub.mu.
	conn       Conn           // nil before it is greeted
	group      *group         // nil before its first subscription
	former     *formerViewers // nil if its grants have not changed
	subs       []subscription
	initialSub subscription // the initial one, once it has ended
	waiting    []*waiter    // its requests that wait, oldest first
	gapsBefore uint64       // gaps reported to v1 clients before its first subscription
	toldState  string       // the broker's state in the hello
	implicit   bool         // its only subscription is the initial one
	gone       bool         // the hub has forgotten it

	ahead ahead // of its commands
}

// ahead counts what a client has asked for that has not been done, in 32 bits.
type ahead struct{ both atomic.Int32 }

const slowUnit = 1 << 16

// addSlow counts requests that take several turns.
func (a *ahead) addSlow(n int32) { a.both.Add(n * slowUnit) }

// addQuick counts subscriptions that wait for no such request, and commands behind them.
func (a *ahead) addQuick(n int32) { a.both.Add(n) }

func (a *ahead) slow() int32  { return a.both.Load() / slowUnit }
func (a *ahead) quick() int32 { return a.both.Load() % slowUnit }

// ConnectRequest is what a client asks for in the URL of its request.
type ConnectRequest struct {
	Subscribe *SubscribeRequest // nil for every reply, or none if Silent
	Silent    bool              // no reply is delivered until the client subscribes
	Batch     time.Duration     // see [Session].Batch
	Err       error             // what is wrong with the URL
}

// NewSession returns a session that waits for its hello. It uses the quota of an address.
func NewSession(id, address string) *Session {
	s := &Session{ID: id, address: address}
	s.preHello.Store(1)
	return s
}

// Restrict sets what a client may hear, before it is greeted; [Hub.SetViewer] does so later. plain
// is what it followed as a plain client, which it leaves when it is greeted, or nil.
func (s *Session) Restrict(v *Viewer, plain *PlainClient) {
	s.viewer.Store(v)
	s.plain = plain
}

// Viewer returns what the client may hear now; nil is everything.
func (s *Session) Viewer() *Viewer { return s.viewer.Load() }

// Greet sends the hello, to which it adds the session, the time, the number of the last reply
// and the broker's state. Then it subscribes the client to what the URL asks for, or to every
// reply. Greet must be called once. It never blocks.
func (h *Hub) Greet(conn Conn, s *Session, a *ConnectRequest, hello protocol.Hello) {
	h.queue.submitUrgent(func() { h.greet(conn, s, a, hello) })
}

func (h *Hub) greet(conn Conn, s *Session, a *ConnectRequest, hello protocol.Hello) {
	if s.closed.Load() {
		return
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	hello.Session, hello.Time = s.ID, h.Time().UTC().Format(protocol.TimeFormat)
	hello.Epoch, hello.Seq, hello.Broker = h.Epoch, h.known(), h.brokerState
	defer s.preHello.Add(-1)
	defer s.plain.Leave()
	s.toldState = h.brokerState
	s.conn = conn
	h.selves.add(s.viewer.Load(), s)
	frames := []engine.Frame{protocol.Encode(hello)}
	if a.Err != nil {
		frames = append(frames, protocol.BadRequest(nil, a.Err))
	}
	if a.Subscribe != nil {
		conn.Follow(nil, frames...)
		if d := *a.Subscribe; d.waits() {
			h.queue.submitFirst(&s.queue, multiTurn, h.subscribeTask(conn, s, d, func() {}))
		} else {
			(&subscribing{hub: h, conn: conn, session: s, request: d, answered: func() {}}).finish()
		}
		return
	}
	var subs []subscription
	if !a.Silent {
		subs = []subscription{{spec: Spec{Filter: all(), Batch: s.Batch}, from: h.seq, duringPast: h.loading}}
	}
	if h.regroup(conn, s, subs, frames) != nil {
		conn.Close(1013, "the clients of your address have too many different subscriptions; try again later")
		return
	}
	s.implicit = !a.Silent
}

// Forget ends a session once the client's earlier requests are done.
func (h *Hub) Forget(s *Session) {
	s.closed.Store(true)
	h.queue.submit(&s.queue, multiTurn, func() {
		h.mu.Lock()
		defer h.mu.Unlock()
		h.stopWaiting(s)
		h.selves.remove(s.viewer.Load(), s)
		if s.group != nil {
			h.leave(s.group)
			h.v1Clients--
			h.updateFigures()
		}
		s.noteRooms(nil)
		s.group, s.gone = nil, true
	})
}
