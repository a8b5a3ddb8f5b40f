package engine

import "time"

const (
	// muteAbove is how much may wait for a connection that takes nothing before it is
	// not read from any more: what it asks for would only wait, too.
	muteAbove = 1 << 20
	// muteTime is for how long such a connection has taken nothing.
	muteTime = 500 * time.Millisecond
)
