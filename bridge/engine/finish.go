package engine

import (
	"fmt"
	"time"
	"unicode/utf8"

	"github.com/gobwas/ws"
)

// finishing is the state of a connection whose peer has closed or broken the protocol:
// nothing more is read, and the answers to earlier messages go out before the close
// frame.
type finishing struct {
	closeError
	deadline tick // deadline
	finished bool // the handler has called Finish
}

// beginFinish ends a connection whose peer sends nothing more that matters: a close frame,
// which is the answer to ours or is answered with the same code (RFC 6455, 5.5.1), or what
// breaks the protocol. Then the server hangs up without awaiting an answer to its own close
// frame (7.1.7 and 7.1.1). The handler's answers to earlier messages come first.
func (l *loop) beginFinish(c *conn, with closeError) {
	switch {
	case c.state == stateClosing:
		c.closeReceived = true
		if c.out == nil {
			l.flushed(c)
		}
		return
	case c.state != stateOpen || c.finishing:
		return
	}
	c.finishing = true
	l.finishing[c.slot] = &finishing{closeError: with, deadline: l.wheel.now + ticks(finishTimeout)}
	if !l.engine.callClosing(l.handle(c), c.session) {
		l.beginClose(c, ws.StatusInternalServerError, reasonInternalError)
	}
}

// finish is [Conn.Finish] for a connection of this loop.
func (l *loop) finish(c *conn) {
	if !c.finishing {
		return
	}
	l.finishing[c.slot].finished = true
	if l.flushAll(c) && c.out == nil {
		l.closeFinished(c)
	}
}

// closeFinished closes an ending connection once all answers are written.
func (l *loop) closeFinished(c *conn) {
	if e := l.finishing[c.slot]; e.finished {
		l.beginClose(c, e.code, e.reason)
	}
}

// checkFinishing closes the connections whose handler took too long or whose peer does
// not read the answers.
func (l *loop) checkFinishing() {
	for slot, e := range l.finishing {
		c := l.conns.at(slot)
		if read := c.lastSent + ticks(finishTimeout); e.finished && e.deadline.before(read) {
			e.deadline = read // a long answer may take its time, as long as the peer reads
		}
		if !l.wheel.now.before(e.deadline) {
			l.beginClose(c, e.code, e.reason)
		}
	}
}

func (l *loop) forgetFinish(c *conn) {
	c.finishing = false
	delete(l.finishing, c.slot)
}

const (
	// closeTimeout is how long a peer may take to answer our close frame.
	closeTimeout = 5 * time.Second
	// finishTimeout is how long a handler may take to answer the messages before a
	// close frame, and then how long the client may read nothing of the answers.
	finishTimeout = time.Second
	// lingerTimeout is how long a peer may take to hang up after our last byte.
	lingerTimeout = 2 * time.Second
)

// statusTryAgainLater is the close code of a server that has no room (registered by
// IANA for RFC 6455, 11.7).
const statusTryAgainLater ws.StatusCode = 1013

// Reasons for closing, in words that a web developer reads in the console.
const (
	reasonTooSlow      = "too slow: more than the backlog waited to be read"
	reasonLargestQueue = "too slow: too much is queued for all clients together, and most of it for this one"
	reasonHungUp       = "the client hung up without a close frame"
	reasonNoCloseReply = "the client did not answer the close frame"
	reasonInboundFull  = "too many incomplete messages are held; try again later"
)

// readClose reads the payload of a peer's close frame (RFC 6455, 5.5.1 and 7.4), and
// returns with what it must be answered.
func readClose(payload []byte) closeError {
	switch len(payload) {
	case 0:
		return closeError{ws.StatusNoStatusRcvd, ""}
	case 1:
		return closeError{ws.StatusProtocolError, "a close frame's payload is empty or starts with two bytes of code"}
	}
	code, reason := ws.ParseCloseFrameData(payload)
	switch {
	case !sendable(code):
		return closeError{ws.StatusProtocolError, fmt.Sprintf("%d is no close code that may be sent", code)}
	case !utf8.ValidString(reason):
		return closeError{ws.StatusInvalidFramePayloadData, "the close frame's reason is not valid UTF-8"}
	}
	return closeError{code, reason}
}

// sendable reports whether a close code may be in a close frame (RFC 6455, 7.4,
// and the codes registered since: 1012 to 1014).
func sendable(code ws.StatusCode) bool {
	return code >= 1000 && code <= 1003 || code >= 1007 && code <= 1014 || code >= 3000 && code <= 4999
}
