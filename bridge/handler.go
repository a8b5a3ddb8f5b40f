package bridge

import (
	"bytes"
	"time"

	"github.com/clu-ws/clu-ws/bridge/engine"
)

// handler is the bridge as the engine calls it, on its loops. It implements [engine.Handler].
type handler struct{ b *Bridge }

// Accept accepts every upgrade, on any path, as CLU does, except from pages that may not use
// the bridge. With access control, clients are identified first (access_identify.go).
func (h handler) Accept(r *engine.Request) (engine.Accepted, error) {
	b := h.b
	if d := b.dialectFor(r); d != nil {
		return b.acceptDialect(d, r)
	}
	if b.access != nil {
		return b.identify(r)
	}
	if no := b.checkOrigin(r); no != nil {
		return engine.Accepted{}, no
	}
	u, err := b.readUpgrade(r)
	if err != nil {
		return engine.Accepted{}, err
	}
	return b.admit(u, nil)
}

// Open greets a v1 client. A plain client gets only replies. With access control, a client that
// has not logged in gets nothing else.
func (h handler) Open(conn engine.Conn, v any) {
	c := v.(*client)
	if s := c.dialectSession(); s != nil {
		h.b.publishConnect(c)
		s.Open(conn)
		return
	}
	defer c.lockAccess()()
	entered := c.accessOf() == nil || h.b.enter(conn, c)
	if c.roomClient() != nil {
		h.b.openRoom(conn, c)
	}
	if !entered || c.awaitsCredential() {
		return
	}
	h.b.publishConnected(c)
	if s := c.v1.Load(); s != nil && s.Connect != nil {
		connect := s.Connect
		s.Connect = nil
		h.b.greet(conn, c, s, connect)
	}
}

// Message handles a client's command or request, or tells the client what is wrong with it.
func (h handler) Message(conn engine.Conn, v any, m engine.Message) {
	c := v.(*client)
	if s := c.dialectSession(); s != nil {
		s.Message(conn, m)
		return
	}
	if c.accessOf() != nil && c.Gone() {
		return // it is being closed, and may do nothing any more
	}
	if c.awaitsCredential() {
		h.b.awaitingMessage(conn, c, m)
		return
	}
	if c.roomClient() != nil {
		h.b.roomMessage(conn)
		return
	}
	if string(bytes.Trim(m.Payload, " \t\r\n")) == "ping" && !h.b.cfg.Strict {
		if err := h.b.takeMessage(c); err != nil {
			h.b.refuseMessage(conn, c, nil, err)
			return
		}
		conn.Send(engine.Text("pong")) // for interactive use
		return
	}
	in := incoming{payload: m.Payload, receivedAt: time.Now(), late: m.Late}
	if s := c.v1.Load(); s != nil && h.b.deferPreHello(conn, c, s, in) {
		return
	}
	h.b.dispatchMessage(conn, c, in)
}

// Closing finishes a connection once its messages are answered: when the queue of a v1
// client is empty and every command has its outcome.
func (h handler) Closing(conn engine.Conn, v any) {
	c := v.(*client)
	c.set(clientSentClose)
	if s := c.v1.Load(); s != nil {
		h.b.hub.AfterRequests(s, func() { c.finish(conn) })
		return
	}
	c.finish(conn)
}

// Closed cleans up after a client.
func (h handler) Closed(_ engine.Conn, v any, code int, reason string) {
	c := v.(*client)
	if c.flags.Load()&clientSentClose == 0 {
		c.set(clientGone)
	}
	c.set(clientLeft)
	if s := c.dialectSession(); s != nil {
		h.b.publishDisconnect(c, code, reason)
		s.Closed(code, reason)
		return
	}
	if h.b.leaveAccess(c) {
		h.b.publishDisconnect(c, code, reason)
	}
	h.b.hub.Inflight.Leave(c)
	if c.roomClient() != nil {
		h.b.leaveRoom(c)
	}
	if s := c.v1.Load(); s != nil {
		h.b.hub.Forget(s)
	}
}
