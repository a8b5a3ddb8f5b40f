package engine

import (
	"time"

	"golang.org/x/sys/unix"
)

// limitUnsent bounds the data that the kernel keeps for a peer, and for how long.
// TCP_RXT_CONNDROPTIME is TCP_USER_TIMEOUT in seconds. TCP_NOTSENT_LOWAT has no effect on
// writes here, so the size of the send buffer is set instead.
func limitUnsent(fd int) {
	_ = unix.SetsockoptInt(fd, unix.IPPROTO_TCP, unix.TCP_RXT_CONNDROPTIME, int(unackedTimeout/time.Second))
	_ = unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_SNDBUF, maxUnsent)
}

// bootClock keeps running while the process is stopped and, unlike CLOCK_MONOTONIC and Go's
// clock, while the machine sleeps. It is never set.
func bootClock() time.Duration { return clockReading(unix.CLOCK_MONOTONIC_RAW) }
