//go:build unix

package engine

import "time"

const (
	// pauseAbove is how many bytes may be queued for a connection that takes nothing
	// before reading from it is paused: further answers would only be queued, too.
	pauseAbove = 1 << 20
	// pauseAfter is how long such a connection must have taken nothing.
	pauseAfter = 500 * time.Millisecond
)

// backlogged reports whether reading from a connection should be paused because it does
// not take what it is sent. A connection that takes some of it has a higher bound: a
// command must not wait because the network is slow.
func (l *loop) backlogged(c *conn) bool {
	if c.out == nil || !c.blocked || c.state != stateOpen {
		return false
	}
	debt := c.out.debt()
	return debt > maxOutbound || debt > pauseAbove && l.wheel.now-c.sent >= ticks(pauseAfter)
}

// pauseReading leaves a connection's input in the socket.
func (l *loop) pauseReading(c *conn) {
	if !c.paused {
		c.paused = true
		l.paused[c.slot] = l.engine.stalls.clock()
	}
}

// resumeReading ends the pause. Input that may have waited longer than a stall counts
// as late.
func (l *loop) resumeReading(c *conn) {
	waited := l.endPause(c)
	if waited > l.engine.stalls.after && c.hasInput() {
		c.waited, l.stood = true, waited
	}
	l.readLater(c)
}

// endPause returns how long reading from a connection was paused.
func (l *loop) endPause(c *conn) time.Duration {
	since := l.paused[c.slot]
	c.paused = false
	delete(l.paused, c.slot)
	return l.engine.stalls.clock() - since
}
