//go:build !linux

package engine

import (
	"net"
	"time"
)

// sleeplessClock goes on while the process is stopped and while the machine is
// suspended, as Go's monotonic clock may not. It is the wall clock: where that is
// set forward, this is a stall.
func sleeplessClock() time.Duration { return time.Duration(time.Now().UnixNano()) }

// unread is how much waits in the socket under a connection, if the system tells.
func unread(net.Conn) (n int, known bool) { return 0, false }
