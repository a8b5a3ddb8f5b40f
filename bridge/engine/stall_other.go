//go:build !unix

package engine

import "time"

// bootClock keeps running while the process is stopped and while the machine is
// suspended, as Go's monotonic clock may not. It is the wall clock: setting that
// forward counts as a stall.
func bootClock() time.Duration { return time.Duration(time.Now().UnixNano()) }
