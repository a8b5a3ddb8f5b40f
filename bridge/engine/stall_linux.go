package engine

import (
	"net"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// sleeplessClock goes on while the process is stopped and while the machine is
// suspended, as Go's monotonic clock does not, and is never set.
func sleeplessClock() time.Duration {
	var now unix.Timespec
	// It cannot fail: every kernel since 2.6.39 has the clock.
	_ = unix.ClockGettime(unix.CLOCK_BOOTTIME, &now)
	return time.Duration(now.Nano())
}

// lookForStall finds out whether the loop stood still since it looked last, and
// marks the connections whose messages may have waited meanwhile.
func (l *loop) lookForStall() {
	now := l.engine.stalls.clock()
	gap := now - l.looked
	l.looked = now
	if gap <= l.engine.stalls.after {
		return
	}
	l.stood = gap
	l.engine.stalls.note(now, gap)
	l.conns.each(func(c *conn) { c.waited = c.waited || c.hasInput() })
	// Connections that are on their way to this loop were there before it looked.
	l.lateArrivals++
	l.mail.post(func() { l.lateArrivals-- })
	if l.accepting != nil {
		l.accepting.stoodStill()
	}
}

// hasInput reports whether something that the peer sent is not handed over yet.
func (c *conn) hasInput() bool {
	if c.in != nil || c.head != nil {
		return true
	}
	n, err := unix.IoctlGetInt(int(c.fd), unix.TIOCINQ)
	return err != nil || n > 0
}

// unread is how much waits in the socket under a connection, if the system tells.
func unread(conn net.Conn) (n int, known bool) {
	socket, ok := below(conn).(syscall.Conn)
	if !ok {
		return 0, false
	}
	raw, err := socket.SyscallConn()
	if err != nil {
		return 0, false
	}
	err = raw.Control(func(fd uintptr) {
		var wrong error
		n, wrong = unix.IoctlGetInt(int(fd), unix.TIOCINQ)
		known = wrong == nil
	})
	return n, known && err == nil
}

// emptied notes that the connection's socket was found empty: what comes from now on
// was sent after the stall, save the end of a message that had begun before it.
func (l *loop) emptied(c *conn) {
	if c.waited && c.in == nil && c.head == nil {
		c.waited = false
	}
}

// stoodStill has all loops count the connections as late that are accepted before
// every listening socket was found empty once.
func (a *listening) stoodStill() {
	if a.behind {
		return
	}
	a.behind = true
	for _, l := range a.loops {
		l.mail.post(func() { l.lateArrivals++ })
	}
}

// catchUp accepts what waits on the listening sockets after a stall.
func (a *listening) catchUp() {
	for fd := range a.sockets {
		if !a.accept(fd) {
			return // there are more, for the next turn
		}
	}
	a.behind = false
	for _, l := range a.loops {
		l.mail.post(func() { l.lateArrivals-- })
	}
}
