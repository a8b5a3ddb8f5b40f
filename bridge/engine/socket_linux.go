package engine

import (
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// acceptSocket accepts a connection as a nonblocking socket.
func acceptSocket(fd int) (int, syscall.Sockaddr, error) {
	return syscall.Accept4(fd, unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC)
}

// inheritsOptions reports whether accepted sockets inherit a listener's options, which
// saves three system calls each. Those of a Multipath TCP listener (Go's default) do not.
func inheritsOptions(fd int) bool {
	protocol, err := unix.GetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_PROTOCOL)
	return err == nil && protocol != unix.IPPROTO_MPTCP
}

// limitUnsent bounds the data that the kernel keeps for a peer, and for how long.
func limitUnsent(fd int) {
	_ = unix.SetsockoptInt(fd, unix.IPPROTO_TCP, unix.TCP_USER_TIMEOUT, int(unackedTimeout/time.Millisecond))
	_ = unix.SetsockoptInt(fd, unix.IPPROTO_TCP, unix.TCP_NOTSENT_LOWAT, maxUnsent)
}

// unreadBytes returns the number of bytes waiting in a socket.
func unreadBytes(fd int) (int, error) { return unix.IoctlGetInt(fd, unix.TIOCINQ) }

// bootClock keeps running while the process is stopped and, unlike Go's monotonic clock,
// while the machine is suspended. It is never set (CLOCK_BOOTTIME).
func bootClock() time.Duration { return clockReading(unix.CLOCK_BOOTTIME) }
