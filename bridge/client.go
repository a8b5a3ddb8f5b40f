package bridge

import (
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/clu-ws/clu-ws/bridge/engine"
	"github.com/clu-ws/clu-ws/bridge/hub"
	"github.com/clu-ws/clu-ws/bridge/protocol"
	"github.com/clu-ws/clu-ws/bridge/quota"
)

// Subprotocol is the WebSocket subprotocol of clients that speak v1 from the start.
const Subprotocol = "clu-ws.v1"

// client is a WebSocket client. There may be very many, so it has 64 bytes, a size class, and
// what few clients have is behind one pointer (remote.go).
type client struct {
	number      uint64                      // unique in the bridge
	connectedAt int64                       // when it connected, in nanoseconds since 1970
	v1          atomic.Pointer[hub.Session] // nil for a plain client
	extra       *clientExtra                // nil if it has nothing uncommon; it does not change
	address     [16]byte                    // see [client.remote]
	port        uint16
	family      family
	commands    atomic.Int32 // commands without an outcome
	flags       atomic.Uint32
}

// The flags of a client.
const (
	clientLeaving   = 1 << iota // the bridge closes it once all its commands have outcomes
	clientGone                  // its connection broke, or the bridge closed it: it cannot be told outcomes
	clientClosing               // it has sent its close frame, and its requests are answered
	clientLeft                  // its connection has ended, however
	clientSentClose             // it has sent its close frame
)

func (c *client) set(flag uint32) { c.flags.Or(flag) }
func (c *client) leaving() bool   { return c.flags.Load()&clientLeaving != 0 }

// HasLeft, Session and Remote make it a [hub.Client].
func (c *client) HasLeft() bool { return c.flags.Load()&clientLeft != 0 }

// Session returns nil for a plain one.
func (c *client) Session() *hub.Session { return c.v1.Load() }

func (c *client) closing() bool { return c.flags.Load()&clientClosing != 0 }

// Gone implements [amqpx.Sender]. Commands followed by a close frame are still sent.
func (c *client) Gone() bool { return c.flags.Load()&clientGone != 0 }

// connectTime returns when the client connected.
func (c *client) connectTime() time.Time { return time.Unix(0, c.connectedAt) }

// clientID returns a client's id, which is unique among all bridges.
func (b *Bridge) clientID(c *client) string {
	return b.cfg.Name + "-" + strconv.FormatUint(c.number, 10)
}

// newSession makes a client one that speaks v1.
func (b *Bridge) newSession(c *client) *hub.Session {
	s := hub.NewSession(b.clientID(c), quota.Address(c.Remote()))
	c.v1.Store(s)
	return s
}

// greet has the hub greet a v1 client.
func (b *Bridge) greet(conn engine.Conn, s *hub.Session, a *hub.ConnectRequest) {
	b.hub.Greet(hubConn{conn}, s, a, protocol.Hello{Op: "hello", Name: b.cfg.Name, Version: b.cfg.Version, Capabilities: b.capabilities()})
}

// Accept accepts every upgrade, on any path, as CLU does, except from pages that may
// not use the bridge. Some paths are rooms. A client that names the subprotocol or has
// parameters in its URL speaks v1.
func (b *Bridge) Accept(r *engine.Request) (engine.Accepted, error) {
	if no := b.checkOrigin(r); no != nil {
		return engine.Accepted{}, no
	}
	target := r.Target()
	path, err := b.pathOf(target)
	if err != nil {
		return engine.Accepted{}, err
	}
	c := &client{number: b.clientsEver.Add(1), connectedAt: time.Now().UnixNano()}
	c.setRemote(remoteName(r.RemoteAddr()))
	if path != commonPath {
		c.addExtra().path = strings.Clone(path) // without the query, which may be long
	}
	if path := b.roomOf(c.path()); path != "" {
		return b.acceptRoom(r, c, target, path)
	}
	w := engine.Accepted{Log: b.hub.Plain.(*engine.Log), Session: c}
	asked := namesSubprotocol(r.Header("Sec-WebSocket-Protocol"))
	a, given := parseConnect(target)
	if !asked && !given {
		return w, nil
	}
	if asked {
		w.Subprotocol = Subprotocol
	}
	w.Log = nil // the hub has it follow one, behind the hello
	v1 := b.newSession(c)
	v1.Batch, v1.Connect = a.Batch, &a
	return w, nil
}

// Open greets a v1 client. A plain one hears replies and nothing else.
func (b *Bridge) Open(conn engine.Conn, v any) {
	c := v.(*client)
	b.publishConnect(c)
	if c.roomClient() != nil {
		b.openRoom(conn, c)
		return
	}
	if s := c.v1.Load(); s != nil && s.Connect != nil {
		a := s.Connect
		s.Connect = nil
		b.greet(conn, s, a)
	}
}

// Closed cleans up after a client.
func (b *Bridge) Closed(_ engine.Conn, v any, code int, reason string) {
	c := v.(*client)
	if c.flags.Load()&clientSentClose == 0 {
		c.set(clientGone)
	}
	c.set(clientLeft)
	b.publishDisconnect(c, code, reason)
	b.hub.Inflight.Leave(c)
	if c.roomClient() != nil {
		b.leaveRoom(c)
	}
	if s := c.v1.Load(); s != nil {
		b.hub.Forget(s)
	}
}

// capabilities are what a v1 client may ask of this bridge.
func (b *Bridge) capabilities() []string {
	all := []string{"ping", "subscribe", "filter", "throttle", "batch", "ordered", "snapshot", "resume", "gap", "actors", "mine", "command", "expires", "silent"}
	if len(b.cfg.Sources) > 0 {
		all = append(all, "rooms")
	}
	if b.cfg.ListClients {
		all = append(all, "clients")
	}
	return all
}
