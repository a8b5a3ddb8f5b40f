//go:build unix

package engine

import (
	"time"

	"golang.org/x/sys/unix"
)

// socket is a socket as package syscall takes it.
type socket = int

// reservedFiles are file descriptors not available to clients: for the broker, listeners,
// logs and HTTP requests.
const reservedFiles = 128

// maxOpenConnections returns how many connections the limit on open files allows.
func maxOpenConnections() int {
	var limit unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &limit); err != nil || limit.Cur > 1<<30 {
		return 1 << 30
	}
	return max(1, int(limit.Cur)-reservedFiles)
}

// clockReading reads one of the system's clocks.
func clockReading(clock int32) time.Duration {
	var now unix.Timespec
	// This cannot fail: every supported system has the clocks in use.
	_ = unix.ClockGettime(clock, &now)
	return time.Duration(now.Nano())
}

// hasHungUp reports whether the peer has hung up and nothing is left to read.
func hasHungUp(fd int) bool {
	var peek [1]byte
	n, _, err := unix.Recvfrom(fd, peek[:], unix.MSG_PEEK)
	switch err {
	case nil:
		return n == 0
	case unix.EAGAIN, unix.EINTR:
		return false
	}
	return true
}
