package engine

import "time"

const (
	// pauseAbove is how many bytes may be queued for a connection that takes nothing
	// before reading from it is paused: further answers would only be queued, too.
	pauseAbove = 1 << 20
	// pauseAfter is how long such a connection must have taken nothing.
	pauseAfter = 500 * time.Millisecond
)
