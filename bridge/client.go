package bridge

import (
	"strconv"
	"sync/atomic"
	"time"

	"github.com/clu-ws/clu-ws/bridge/engine"
	"github.com/clu-ws/clu-ws/bridge/hub"
	"github.com/clu-ws/clu-ws/bridge/protocol"
	"github.com/clu-ws/clu-ws/bridge/quota"
)

// Subprotocol is the WebSocket subprotocol by which a client speaks v1 from the start.
const Subprotocol = "clu-ws.v1"

// client is a WebSocket client. There may be very many, so it takes 64 bytes, which is a
// size class, and the data that only few clients have is behind one pointer (client_extra.go).
type client struct {
	number      uint64                      // unique in the bridge
	connectedAt int64                       // when it connected, in nanoseconds since 1970
	v1          atomic.Pointer[hub.Session] // nil for a plain client
	extra       *clientExtra                // nil if it has no such data; it does not change
	address     [16]byte                    // see [client.Remote]
	port        uint16
	family      family
	commands    atomic.Int32 // commands without an outcome
	results     atomic.Int32 // results that it awaits
	flags       atomic.Uint32
}

// The flags of a client.
const (
	clientLeaving   = 1 << iota // the bridge closes it once all its commands have outcomes and results
	clientGone                  // its connection broke, or the bridge closed it: outcomes cannot reach it
	clientClosing               // it has sent its close frame and its requests are answered
	clientLeft                  // its connection has ended for any reason
	clientSentClose             // it has sent its close frame
)

func (c *client) set(flag uint32) { c.flags.Or(flag) }
func (c *client) leaving() bool   { return c.flags.Load()&clientLeaving != 0 }

// HasLeft implements [hub.Client].
func (c *client) HasLeft() bool { return c.flags.Load()&clientLeft != 0 }

// Session implements [hub.Client]. It returns nil for a plain client.
func (c *client) Session() *hub.Session { return c.v1.Load() }

// Self implements [hub.Client]: all connections of a principal with a name have the same own
// commands.
func (c *client) Self() string {
	p := c.principal()
	switch {
	case p == nil, p.Name == "" && c.number == 0: // over HTTP
		return ""
	case p.Name != "":
		return "name " + p.Name
	}
	return "client " + strconv.FormatUint(c.number, 10)
}

func (c *client) closing() bool { return c.flags.Load()&clientClosing != 0 }

// Gone implements [amqpx.Sender]. Commands that are followed by a close frame are still sent.
func (c *client) Gone() bool { return c.flags.Load()&clientGone != 0 }

// connectTime returns when the client connected.
func (c *client) connectTime() time.Time { return time.Unix(0, c.connectedAt) }

// clientID returns the id of the client with a number, which is unique among all bridges.
func (b *Bridge) clientID(number uint64) string {
	return b.cfg.Name + "-" + strconv.FormatUint(number, 10)
}

// newSession gives a client that speaks v1 its session.
func (b *Bridge) newSession(c *client) *hub.Session {
	defer c.lockAccess()()
	return b.addSession(c)
}

// addSession is newSession for a client whose access is locked.
func (b *Bridge) addSession(c *client) *hub.Session {
	s := hub.NewSession(b.clientID(c.number), quota.Address(c.Remote()))
	if p := c.principal(); p != nil {
		s.Restrict(viewerOf(c, p), c.extra.access.plain)
	}
	if b.tellsRooms() {
		s.OnRooms = func(id string, paths []string, began bool) { b.tellSubscription(c, id, paths, began) }
	}
	c.v1.Store(s)
	return s
}

// greet sends a v1 client its hello. Its access is locked.
func (b *Bridge) greet(conn engine.Conn, c *client, s *hub.Session, r *hub.ConnectRequest) {
	if r.Subscribe != nil && b.asks(opSubscribe) {
		b.askConnect(conn, c, s, r)
		return
	}
	b.sendHello(conn, c, s, r)
}

func (b *Bridge) sendHello(conn engine.Conn, c *client, s *hub.Session, r *hub.ConnectRequest) {
	b.hub.Greet(hubConn{conn}, s, r, protocol.Hello{Op: "hello", Name: b.cfg.Name, Version: b.cfg.Version, Capabilities: b.capabilities(), Access: accessInfo(c.principal())})
}

// capabilities returns the features that this bridge offers to v1 clients.
func (b *Bridge) capabilities() []string {
	all := []string{
		"ping", "subscribe", "filter", "throttle", "batch", "ordered", "snapshot", "resume", "gap", "actors", "mine", "command",
		"expires", "silent",
		"heard", "notices",
		"log", "commands",
		"model",
		"problems", "site",
	}
	if b.keywordHistory != nil {
		all = append(all, "history")
	}
	if len(b.cfg.Sources) > 0 {
		all = append(all, "rooms")
	}
	if b.cfg.ListClients || b.access != nil {
		all = append(all, "clients")
	}
	if len(b.cfg.Sources) > 0 && b.access != nil {
		all = append(all, "publish")
	}
	return all
}

// finish ends the connection of a client that has sent its close frame, now or when its last
// command has its outcome.
func (c *client) finish(conn engine.Conn) {
	c.set(clientClosing)
	if c.commands.Load() == 0 {
		conn.Finish()
	}
}

// hubConn is a connection as the hub uses it. It implements [hub.Conn].
type hubConn struct{ engine.Conn }

// Follow implements [hub.Conn].
func (c hubConn) Follow(log hub.Log, first ...engine.Frame) {
	followed, _ := log.(*engine.Log) // nil if there is no log to follow
	c.Conn.Follow(followed, first...)
}
