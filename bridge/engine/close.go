package engine

import (
	"fmt"
	"time"
	"unicode/utf8"

	"github.com/gobwas/ws"
)

const (
	// closeTimeout is how long a peer may take to answer our close frame.
	closeTimeout = 5 * time.Second
	// answerTimeout is how long a handler may take to answer the messages before a
	// close frame, and then how long the client may read nothing of the answers.
	answerTimeout = time.Second
	// lingerTimeout is how long a peer may take to hang up after our last byte.
	lingerTimeout = 2 * time.Second
)

// tryAgainLater is the close code of a server that has no room (registered by
// IANA for RFC 6455, 11.7).
const tryAgainLater ws.StatusCode = 1013

// Reasons for closing, in words that a web developer reads in the console.
const (
	tooSlow     = "too slow: more than the backlog waited to be read"
	owesMost    = "too slow: too much is queued for all clients together, and most of it for this one"
	hungUp      = "the client hung up without a close frame"
	noAnswer    = "the client did not answer the close frame"
	heldTooMuch = "too many incomplete messages are held; try again later"
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
	switch {
	case !sendable(code):
		return 0, "", &closeError{ws.StatusProtocolError, fmt.Sprintf("%d is no close code that may be sent", code)}
	case !utf8.ValidString(reason):
		return 0, "", &closeError{ws.StatusInvalidFramePayloadData, "the close frame's reason is not valid UTF-8"}
	}
	return code, reason, nil
}

// sendable tells whether a close code may be in a close frame (RFC 6455, 7.4,
// and the codes registered since: 1012 to 1014).
func sendable(code ws.StatusCode) bool {
	switch {
	case code >= 1000 && code <= 1003, code >= 1007 && code <= 1014, code >= 3000 && code <= 4999:
		return true
	}
	return false
}
