//go:build unix

package engine

import "github.com/gobwas/ws"

// ending is the state of a connection whose peer has closed or broken the protocol:
// nothing more is read, and the answers to earlier messages go out before the close
// frame.
type ending struct {
	code     ws.StatusCode
	reason   string
	until    tick // deadline
	answered bool // the handler has called Finish
}

// peerClose handles the peer's close frame (RFC 6455, 5.5.1): it is the answer
// to ours, or is answered with the same code.
func (l *loop) peerClose(c *conn, payload []byte) {
	if c.state == stateClosing {
		l.closedByPeer(c)
		return
	}
	code, reason, wrong := readClose(payload)
	if wrong != nil {
		code, reason = wrong.code, wrong.reason
	}
	l.beginEnding(c, code, reason)
}

// violated ends a connection whose peer broke the protocol: the server hangs up
// without awaiting an answer to its close frame (RFC 6455, 7.1.7 and 7.1.1).
func (l *loop) violated(c *conn, by *closeError) {
	if c.state == stateClosing {
		l.closedByPeer(c)
		return
	}
	l.beginEnding(c, by.code, by.reason)
}

// closedByPeer notes that the peer of a connection that the server closes sends nothing
// more.
func (l *loop) closedByPeer(c *conn) {
	c.byPeer = true
	if c.out == nil {
		l.flushed(c)
	}
}

// beginEnding waits for the handler's answers to earlier messages.
func (l *loop) beginEnding(c *conn, code ws.StatusCode, reason string) {
	if c.state != stateOpen || c.ending {
		return
	}
	c.ending = true
	l.endings[c.slot] = &ending{code: code, reason: reason, until: l.wheel.now + ticks(answerTimeout)}
	if !l.engine.ending(l.handle(c), c.session) {
		l.beginClose(c, ws.StatusInternalServerError, failed)
	}
}

// finish is [Conn.Finish] for a connection of this loop.
func (l *loop) finish(slot int32, gen uint32) {
	l.mail.post(func() {
		c := l.lookup(slot, gen)
		if c == nil || !c.ending {
			return
		}
		l.endings[slot].answered = true
		if l.writeOut(c) && c.out == nil {
			l.answered(c)
		}
	})
}

// answered closes an ending connection once all answers are written.
func (l *loop) answered(c *conn) {
	if e := l.endings[c.slot]; e.answered {
		l.beginClose(c, e.code, e.reason)
	}
}

// checkEndings closes the connections whose handler took too long or whose peer does
// not read the answers.
func (l *loop) checkEndings() {
	for slot, e := range l.endings {
		c := l.conns.at(slot)
		if read := c.sent + ticks(answerTimeout); e.answered && e.until.before(read) {
			e.until = read // a long answer may take its time, as long as the peer reads
		}
		if !l.wheel.now.before(e.until) {
			l.beginClose(c, e.code, e.reason)
		}
	}
}

func (l *loop) forgetEnding(c *conn) {
	c.ending = false
	delete(l.endings, c.slot)
}
