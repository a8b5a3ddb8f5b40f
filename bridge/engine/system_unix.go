//go:build unix

package engine

import (
	"time"

	"golang.org/x/sys/unix"
)

// socket is a socket to the package syscall.
type socket = int

// reservedFiles are the file descriptors that are not for clients: the broker,
// listeners, logs, requests of the page.
const reservedFiles = 128

// maxOpenConnections is how many connections the limit on open files allows.
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
	// This cannot fail: every supported system has the clocks that are read.
	_ = unix.ClockGettime(clock, &now)
	return time.Duration(now.Nano())
}

// hasHungUp reports whether nothing is left to read from a socket whose peer sends no more.
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
