package engine

import (
	"fmt"
	"net/http"
	"time"

	"github.com/gobwas/ws"
)

const (
	// closeTimeout is how long a peer may take to answer our close frame.
	closeTimeout = 5 * time.Second
	// lingerTimeout is how long a peer may take to hang up after our last byte.
	lingerTimeout = 2 * time.Second
)

// Reasons for closing, in words that a web developer reads in the console.
const (
	tooSlow     = "too slow: more than the backlog waited to be read"
	hungUp      = "the client hung up without a close frame"
	noAnswer    = "the client did not answer the close frame"
	longHead    = "the request head is too long"
	slowRequest = "the request took too long"
)

// readClose reads the payload of a peer's close frame (RFC 6455, 5.5.1 and
// 7.4). The error says with which code it must be answered.
func readClose(payload []byte) (code ws.StatusCode, reason string, _ *closeError) {
	switch len(payload) {
	case 0:
		return ws.StatusNoStatusRcvd, "", nil
	case 1:
		return 0, "", &closeError{ws.StatusProtocolError, "a close frame's payload is empty or starts with two bytes of code"}
	}
	code, reason = ws.ParseCloseFrameData(payload)
	switch err := ws.CheckCloseFrameData(code, reason); err {
	case nil:
		return code, reason, nil
	case ws.ErrProtocolInvalidUTF8:
		return 0, "", &closeError{ws.StatusInvalidFramePayloadData, "the close frame's reason is not valid UTF-8"}
	default:
		return 0, "", &closeError{ws.StatusProtocolError, err.Error()}
	}
}

// rejection answers an HTTP request with a status and a reason in words.
func rejection(status int, reason string) []byte {
	text := reason + "\n"
	return fmt.Appendf(nil, "HTTP/1.1 %d %s\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: %d\r\nConnection: close\r\n\r\n%s",
		status, http.StatusText(status), len(text), text)
}
