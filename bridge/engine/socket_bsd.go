//go:build unix && !linux && !darwin

package engine

import (
	"time"

	"golang.org/x/sys/unix"
)

// limitUnsent bounds the data that the kernel keeps for a peer. A vanished peer is detected
// when TCP gives up, or by a ping.
func limitUnsent(fd int) {
	_ = unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_SNDBUF, maxUnsent)
}

// bootClock keeps running while the process is stopped, and is never set. On FreeBSD it
// includes suspend.
func bootClock() time.Duration { return clockReading(unix.CLOCK_MONOTONIC) }
