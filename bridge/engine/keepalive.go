package engine

import (
	"math/rand/v2"
	"net/http"

	"github.com/gobwas/ws"
)

// handleDeadline acts on a connection's deadline.
func (l *loop) handleDeadline(c *conn) {
	if l.inputUnread(c) {
		l.wheel.schedule(c, l.wheel.now+1)
		return
	}
	switch c.state {
	case stateHead:
		if !c.incoming.started() {
			// A browser's spare connection: a response would be taken for that to its next
			// request.
			l.drop(c, ws.StatusAbnormalClosure, "")
			return
		}
		l.reject(c, &RejectError{Status: http.StatusRequestTimeout, Kind: KindHeadTimeout, Reason: "the request took too long"})
	case stateParked:
		l.undecided(c)
	case stateOpen:
		l.checkKeepalive(c)
	case stateClosing:
		l.drop(c, ws.StatusAbnormalClosure, reasonNoCloseReply)
	default:
		l.drop(c, ws.StatusAbnormalClosure, "")
	}
}

// checkKeepalive pings an idle connection, and closes one that has not answered.
func (l *loop) checkKeepalive(c *conn) {
	cfg := &l.engine.cfg
	now := l.wheel.now
	if c.pinged {
		l.beginClose(c, ws.StatusPolicyViolation, "no answer to a ping for "+cfg.PongTimeout.String())
		return
	}
	if idleUntil := c.lastSent + ticks(cfg.PingAfter); now.before(idleUntil) {
		l.wheel.schedule(c, l.nextPing(idleUntil))
		return
	}
	c.pinged = true
	l.wheel.schedule(c, now+ticks(cfg.PongTimeout))
	l.send(c, newFrame(ws.OpPing, ""))
}

// answered notes that a pinged client lives. The next ping is due after Limits.PingAfter, and not only when
// the answer to this one would have been.
func (l *loop) answered(c *conn) {
	c.pinged = false
	if c.state == stateOpen {
		l.wheel.schedule(c, l.nextPing(l.wheel.now+ticks(l.engine.cfg.PingAfter)))
	}
}

// nextPing spreads pings over 1.25 times the interval after the earliest time.
func (l *loop) nextPing(earliest tick) tick {
	spread := ticks(l.engine.cfg.PingAfter) * 5 / 4
	return earliest + rand.N(spread+1)
}
