package engine

import (
	"bytes"
	"net/http"

	"github.com/gobwas/ws"
)

// readHead collects the request head and acts on it once it is whole. What
// follows it in the same bytes is not lost.
func (l *loop) readHead(c *conn, data []byte) {
	from := 0
	if c.head != nil {
		// The empty line may be cut: search from three bytes before the news.
		from = max(0, len(*c.head)-3)
		*c.head = append(*c.head, data...)
		data = *c.head
	}
	end := headEnd(data, from)
	limit := l.engine.cfg.MaxHead
	switch {
	case end > limit || end == 0 && len(data) > limit:
		l.reject(c, http.StatusRequestHeaderFieldsTooLarge, "the request head is too long")
	case end == 0:
		if c.head == nil {
			kept := append(make([]byte, 0, 512), data...)
			c.head = &kept
		}
	case wantsWebSocket(data[:end]):
		c.head = nil
		l.upgrade(c, data[:end], data[end:])
	default:
		l.handOver(c, data)
	}
}

// exactly gives the upgrader the bytes of one request and takes its answer: it
// expects a blocking connection, and would swallow what lies behind the head.
type exactly struct {
	*bytes.Reader
	answer bytes.Buffer
}

func (e *exactly) Write(p []byte) (int, error) { return e.answer.Write(p) }

// upgrade answers an upgrade request and opens the connection.
func (l *loop) upgrade(c *conn, head, rest []byte) {
	if wrong := checkKey(head); wrong != "" {
		l.reject(c, http.StatusBadRequest, wrong)
		return
	}
	var welcome Welcome
	upgrader := ws.Upgrader{
		ReadBufferSize: 2 * l.engine.cfg.MaxHead,
		OnBeforeUpgrade: func() (_ ws.HandshakeHeader, err error) {
			welcome, err = l.engine.cfg.Handler.Accept(&Request{head: head, fd: c.fd})
			if err != nil {
				return nil, refusal(err)
			}
			if welcome.Subprotocol != "" {
				return ws.HandshakeHeaderHTTP{"Sec-WebSocket-Protocol": {welcome.Subprotocol}}, nil
			}
			return nil, nil
		},
	}
	io := exactly{Reader: bytes.NewReader(head)}
	if _, err := upgrader.Upgrade(&io); err != nil {
		if io.answer.Len() == 0 {
			l.reject(c, http.StatusBadRequest, "the request cannot be read: "+err.Error())
			return
		}
		l.rejectWith(c, io.answer.Bytes())
		return
	}
	l.open(c, welcome, io.answer.Bytes(), rest)
}

// refusal turns the handler's no into the library's.
func refusal(err error) error {
	status := http.StatusInternalServerError
	if r, ok := err.(*Refusal); ok {
		status = r.Status
	}
	return ws.RejectConnectionError(ws.RejectionStatus(status), ws.RejectionReason(err.Error()))
}

// open makes a connection of an accepted request.
func (l *loop) open(c *conn, w Welcome, answer, rest []byte) {
	c.state = stateOpen
	c.session = w.Session
	if w.Log != nil {
		w.Log.rings[l.index].add(c)
	}
	l.engine.open.Add(1)
	l.wheel.schedule(c, l.nextPing(l.wheel.now+ticks(l.engine.cfg.PingAfter)))
	gen := c.gen
	l.engine.cfg.Handler.Open(l.handle(c), c.session)
	l.send(c, answer)
	if len(rest) > 0 && c.gen == gen && c.state == stateOpen {
		l.consume(c, rest)
	}
}
