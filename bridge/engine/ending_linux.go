package engine

import "github.com/gobwas/ws"

// ending is how a connection will end that its peer has closed, or that has broken
// the rules: nothing more is read from it, and what answers the messages before goes
// out before the close frame does.
type ending struct {
	code     ws.StatusCode
	reason   string
	until    tick // when it ends in any case
	answered bool // the handler has no more to say
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

// closedByPeer notes that nothing more is to come on a connection that we close.
func (l *loop) closedByPeer(c *conn) {
	c.byPeer = true
	if c.out == nil {
		l.flushed(c)
	}
}

// beginEnding waits for the handler's answers to what came before.
func (l *loop) beginEnding(c *conn, code ws.StatusCode, reason string) {
	if c.state != stateOpen || c.ending {
		return
	}
	c.ending = true
	l.endings[c.slot] = &ending{code: code, reason: reason, until: l.wheel.now + ticks(answerTimeout)}
	l.engine.cfg.Handler.Ending(l.handle(c), c.session)
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

// answered closes an ending connection if all that the handler said is written.
func (l *loop) answered(c *conn) {
	if e := l.endings[c.slot]; e.answered {
		l.beginClose(c, e.code, e.reason)
	}
}

// checkEndings closes the connections whose handlers have had their time, or that
// do not read the answers.
func (l *loop) checkEndings() {
	for slot, e := range l.endings {
		if !l.wheel.now.before(e.until) {
			l.beginClose(l.conns.at(slot), e.code, e.reason)
		}
	}
}

func (l *loop) forgetEnding(c *conn) {
	c.ending = false
	delete(l.endings, c.slot)
}
