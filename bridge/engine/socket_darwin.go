package engine

import (
	"time"

	"golang.org/x/sys/unix"
)

// limitUnsent bounds for how long, and how much, the kernel keeps for a peer.
// TCP_RXT_CONNDROPTIME is TCP_USER_TIMEOUT in seconds. TCP_NOTSENT_LOWAT bounds
// nothing that is written here, so the send buffer is given its size.
func limitUnsent(fd int) {
	_ = unix.SetsockoptInt(fd, unix.IPPROTO_TCP, unix.TCP_RXT_CONNDROPTIME, int(unackedTimeout/time.Second))
	_ = unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_SNDBUF, maxUnsent)
}

// bootClock keeps running while the process is stopped and while the machine sleeps,
// which macOS's CLOCK_MONOTONIC does and Go's clock does not. It is never set.
func bootClock() time.Duration { return clockReading(unix.CLOCK_MONOTONIC_RAW) }
