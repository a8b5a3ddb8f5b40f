//go:build unix && !linux && !darwin

package engine

import (
	"time"

	"golang.org/x/sys/unix"
)

// limitUnsent bounds how much the kernel keeps for a peer. A peer that vanished is
// gone when TCP gives up, or does not answer a ping.
func limitUnsent(fd int) {
	_ = unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_SNDBUF, maxUnsent)
}

// bootClock keeps running while the process is stopped. It is never set. On FreeBSD it
// also counts the time in suspend.
func bootClock() time.Duration { return clockReading(unix.CLOCK_MONOTONIC) }
