package engine

import "time"

// deaf reports whether a connection does not take what it is sent, so that it should
// not be read from. One that takes some of it is read from up to a higher bound: a
// command must not wait because a line is slow.
func (l *loop) deaf(c *conn) bool {
	if c.out == nil || !c.blocked || c.state != stateOpen {
		return false
	}
	debt := c.out.debt()
	return debt > maxOutbound || debt > muteAbove && l.wheel.now-c.sent >= ticks(muteTime)
}

// mute leaves a connection's input in the socket.
func (l *loop) mute(c *conn) {
	if !c.muted {
		c.muted = true
		l.muted[c.slot] = l.engine.stalls.clock()
	}
}

// unmute reads on. What waited meanwhile for so long that it would be a stall, is late
// as after one.
func (l *loop) unmute(c *conn) {
	waited := l.forgetMute(c)
	if waited > l.engine.stalls.after && c.hasInput() {
		c.waited, l.stood = true, waited
	}
	l.readLater(c)
}

// forgetMute gives for how long a connection was not read from.
func (l *loop) forgetMute(c *conn) time.Duration {
	since := l.muted[c.slot]
	c.muted = false
	delete(l.muted, c.slot)
	return l.engine.stalls.clock() - since
}
