//go:build unix

package engine

import (
	"time"

	"golang.org/x/sys/unix"
)

// clockReading reads one of the system's clocks.
func clockReading(clock int32) time.Duration {
	var now unix.Timespec
	// This cannot fail: every supported system has the clocks that are read.
	_ = unix.ClockGettime(clock, &now)
	return time.Duration(now.Nano())
}

// checkStall detects whether the loop stood still since the last check, and marks the
// connections whose messages may have waited.
func (l *loop) checkStall() {
	now := l.engine.stalls.clock()
	gap := now - l.looked
	l.looked = now
	if gap <= l.engine.stalls.after {
		return
	}
	l.stood = gap
	l.engine.stalls.note(now, gap)
	l.conns.each(func(c *conn) { c.waited = c.waited || c.hasInput() })
	// Connections on their way to this loop existed before the check.
	l.lateArrivals++
	l.mail.post(func() { l.lateArrivals-- })
	if l.accepting != nil {
		l.accepting.stoodStill()
	}
}

// hasInput reports whether input from the peer has not been handed over yet.
func (c *conn) hasInput() bool {
	if c.in != nil || c.head != nil || c.tls.waits() {
		return true
	}
	n, err := inputBytes(int(c.fd))
	return err != nil || n > 0
}

// emptied handles a socket that was found empty: its next input is a new event, and was
// sent after the stall, except the rest of a message that began before.
func (l *loop) emptied(c *conn) {
	if c.waited && c.in == nil && c.head == nil && !c.tls.waits() {
		c.waited = false
	}
	if l.oneShot {
		l.poll.awaitInput(c.slot)
	}
}

// stoodStill marks connections as late on all loops until every listening socket was
// found empty once.
func (a *listening) stoodStill() {
	if a.behind {
		return
	}
	a.behind = true
	for _, l := range a.loops {
		l.mail.post(func() { l.lateArrivals++ })
	}
}

// catchUp accepts the connections that wait on the listening sockets after a stall.
func (a *listening) catchUp() {
	for fd := range a.sockets {
		if !a.accept(fd) {
			return // the rest is for the next turn
		}
	}
	a.behind = false
	for _, l := range a.loops {
		l.mail.post(func() { l.lateArrivals-- })
	}
}
