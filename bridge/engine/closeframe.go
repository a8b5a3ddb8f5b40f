package engine

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/gobwas/ws"
)

// statusTryAgainLater is the close code of an overloaded server (registered with IANA under
// RFC 6455, 11.7).
const statusTryAgainLater ws.StatusCode = 1013

// Close reasons, for a web developer reading the browser's console.
const (
	reasonTooSlow      = "too slow: the backlog of unread data exceeded its limit"
	reasonLargestQueue = "too slow: the queues of all clients together are full, and the queue of this client is the largest"
	reasonHungUp       = "the client hung up without a close frame"
	reasonNoCloseReply = "the client did not answer the close frame"
	reasonInboundFull  = "too many incomplete messages are buffered; try again later"
)

// readClose parses a peer's close frame (RFC 6455, 5.5.1 and 7.4), and returns the code and
// reason to answer with.
func readClose(payload []byte) closeError {
	switch len(payload) {
	case 0:
		return closeError{ws.StatusNoStatusRcvd, ""}
	case 1:
		return closeError{ws.StatusProtocolError, "a close frame's payload must be empty or start with a two-byte code"}
	}
	code, reason := ws.ParseCloseFrameData(payload)
	switch {
	case !sendable(code):
		return closeError{ws.StatusProtocolError, fmt.Sprintf("%d is not a close code that may be sent", code)}
	case !utf8.ValidString(reason):
		return closeError{ws.StatusInvalidFramePayloadData, "the close frame's reason is not valid UTF-8"}
	}
	return closeError{code, reason}
}

// sendable reports whether a close frame may carry the code (RFC 6455, 7.4, and the codes
// registered since, 1012 to 1014).
func sendable(code ws.StatusCode) bool {
	return code >= 1000 && code <= 1003 || code >= 1007 && code <= 1014 || code >= 3000 && code <= 4999
}

// maxReason is the longest reason that fits into a close frame next to the code (RFC 6455,
// 5.5).
const maxReason = 123

// closeFrame returns a close frame. A long reason is cut, and invalid UTF-8 is removed.
func closeFrame(code ws.StatusCode, reason string) Frame {
	if code.Empty() || code == ws.StatusNoStatusRcvd {
		return newFrame(ws.OpClose, "")
	}
	if !sendable(code) {
		code = ws.StatusInternalServerError
	}
	reason = strings.ToValidUTF8(reason[:min(len(reason), maxReason)], "")
	return newFrame(ws.OpClose, ws.NewCloseFrameBody(code, reason))
}
