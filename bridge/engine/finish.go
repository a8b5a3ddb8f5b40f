package engine

import (
	"cmp"
	"time"

	"github.com/gobwas/ws"
)

// finishing is the state of a connection whose peer has closed or violated the protocol:
// nothing more is read, and the answers to earlier messages go out before the close frame.
type finishing struct {
	closeError
	deadline tick
	finished bool // the handler has called Finish
}

// beginFinish starts closing a connection whose peer has sent a close frame or has violated
// the protocol. A close frame answers ours, or is answered with the same code (RFC 6455,
// 5.5.1). The server then hangs up without awaiting a reply to its own close frame (7.1.7
// and 7.1.1). The handler's answers to earlier messages go out first.
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
	l.finishing[c.slot] = &finishing{closeError: with, deadline: l.wheel.now + l.engine.finishTicks()}
	if !l.engine.callClosing(l.handle(c), c.session) {
		l.beginClose(c, ws.StatusInternalServerError, reasonInternalError)
	}
}

// finish implements [Conn.Finish] on the connection's loop.
func (l *loop) finish(c *conn) {
	if !c.finishing {
		return
	}
	l.finishing[c.slot].finished = true
	if l.flushAll(c) && c.out == nil {
		l.closeFinished(c)
	}
}

// closeFinished sends the close frame once all answers are written.
func (l *loop) closeFinished(c *conn) {
	if e := l.finishing[c.slot]; e.finished {
		l.beginClose(c, e.code, e.reason)
	}
}

// checkFinishing closes connections whose handler takes too long or whose peer does not
// read the answers.
func (l *loop) checkFinishing() {
	for slot, e := range l.finishing {
		c := l.conns.at(slot)
		if read := c.lastSent + l.engine.finishTicks(); e.finished && e.deadline.before(read) {
			e.deadline = read // a long answer may take its time while the peer reads
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
	// finishTimeout is how long a handler may take to answer the messages before a close
	// frame, and how long the client may then read none of the answers.
	finishTimeout = time.Second
	// lingerTimeout is how long a peer may take to hang up after our last byte.
	lingerTimeout = 2 * time.Second
)

func (e *Engine) closeTicks() tick { return ticks(cmp.Or(e.cfg.closeTimeout, closeTimeout)) }

func (e *Engine) finishTicks() tick { return ticks(cmp.Or(e.cfg.finishTimeout, finishTimeout)) }
