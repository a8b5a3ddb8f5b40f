package bridge

import (
	"bytes"
	"strings"
	"time"

	"github.com/clu-ws/clu-ws/bridge/engine"
)

// handler is the bridge as the engine calls it, on its loops. It implements [engine.Handler].
type handler struct{ b *Bridge }

// Accept accepts every upgrade, on any path, as CLU does, except from pages that may not use
// the bridge. Some paths are rooms. A client that names the subprotocol or has parameters in
// its URL speaks v1.
func (h handler) Accept(r *engine.Request) (engine.Accepted, error) {
	b := h.b
	if no := b.checkOrigin(r); no != nil {
		return engine.Accepted{}, no
	}
	target := r.Target()
	path, err := b.pathOf(target)
	if err != nil {
		return engine.Accepted{}, err
	}
	c := &client{number: b.clientCount.Add(1), connectedAt: time.Now().UnixNano()}
	c.setRemote(remoteName(r.RemoteAddr()))
	if path != commonPath {
		c.addExtra().path = strings.Clone(path) // without the query, which may be long
	}
	if path := b.roomOf(c.path()); path != "" {
		return b.acceptRoom(r, c, target, path)
	}
	asked := namesSubprotocol(r.Header("Sec-WebSocket-Protocol"))
	connect, given := parseConnect(target)
	if !asked && !given {
		return engine.Accepted{Log: b.hub.Plain.(*engine.Log), Session: c}, nil
	}
	v1 := b.newSession(c)
	v1.Batch, v1.Connect = connect.Batch, &connect
	accepted := engine.Accepted{Session: c} // it follows a log after the hello
	if asked {
		accepted.Subprotocol = Subprotocol
	}
	return accepted, nil
}

// Open greets a v1 client. A plain client gets only replies.
func (h handler) Open(conn engine.Conn, v any) {
	c := v.(*client)
	h.b.publishConnect(c)
	if no := h.b.countConnection(c); no != nil {
		conn.Close(policyViolation, no.Reason)
		return
	}
	if c.roomClient() != nil {
		h.b.openRoom(conn, c)
		return
	}
	if s := c.v1.Load(); s != nil && s.Connect != nil {
		connect := s.Connect
		s.Connect = nil
		h.b.greet(conn, s, connect)
	}
}

// Message handles a client's command or request, or tells the client what is wrong with it.
func (h handler) Message(conn engine.Conn, v any, m engine.Message) {
	c := v.(*client)
	if c.roomClient() != nil {
		h.b.roomMessage(conn)
		return
	}
	if string(bytes.Trim(m.Payload, " \t\r\n")) == "ping" && !h.b.cfg.Strict {
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
	h.b.uncountConnection(c)
	h.b.publishDisconnect(c, code, reason)
	h.b.hub.Inflight.Leave(c)
	if c.roomClient() != nil {
		h.b.leaveRoom(c)
	}
	if s := c.v1.Load(); s != nil {
		h.b.hub.Forget(s)
	}
}
