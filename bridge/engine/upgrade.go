package engine

import (
	"bytes"
	"errors"
	"net/http"
	"net/netip"

	"github.com/gobwas/ws"
)

// headTooLong tells whether a request head is longer than it may be. end is its
// length with the empty line, or 0 while it is incomplete.
func (e *Engine) headTooLong(end, have int) bool {
	return end > e.cfg.MaxHead || end == 0 && have > e.cfg.MaxHead
}

// exactly gives the upgrader the bytes of one request and takes its answer: it
// expects a blocking connection, and would swallow what lies behind the head.
type exactly struct {
	*bytes.Reader
	answer bytes.Buffer
}

func (e *exactly) Write(p []byte) (int, error) { return e.answer.Write(p) }

// negotiate answers an upgrade request, whose head is complete. Without a
// welcome the answer is a refusal, after which the connection ends.
func (e *Engine) negotiate(head []byte, remote func() netip.AddrPort) (answer []byte, welcome Welcome, ok bool) {
	if wrong := checkKey(head); wrong != "" {
		return rejection(http.StatusBadRequest, wrong), welcome, false
	}
	upgrader := ws.Upgrader{
		ReadBufferSize: len(head), // whole: it is there already
		OnBeforeUpgrade: func() (_ ws.HandshakeHeader, err error) {
			welcome, err = e.cfg.Handler.Accept(&Request{head: head, remote: remote})
			if err != nil {
				return nil, refusal(err)
			}
			if welcome.Subprotocol != "" {
				return ws.HandshakeHeaderHTTP{"Sec-WebSocket-Protocol": {welcome.Subprotocol}}, nil
			}
			return nil, nil
		},
	}
	var offers offers
	if e.deflate != nil {
		upgrader.Negotiate = offers.negotiate
	}
	io := exactly{Reader: bytes.NewReader(head)}
	if _, err := upgrader.Upgrade(&io); err != nil {
		if io.answer.Len() == 0 {
			return rejection(http.StatusBadRequest, "the request cannot be read: "+err.Error()), welcome, false
		}
		return io.answer.Bytes(), welcome, false
	}
	if offers.taken {
		welcome = welcome.deflated()
	}
	return io.answer.Bytes(), welcome, true
}

// refusal turns the handler's no into the library's.
func refusal(err error) error {
	status := http.StatusInternalServerError
	if r := (*Refusal)(nil); errors.As(err, &r) {
		status = r.Status
	}
	return ws.RejectConnectionError(ws.RejectionStatus(status), ws.RejectionReason(err.Error()))
}
