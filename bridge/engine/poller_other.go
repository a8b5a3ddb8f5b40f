//go:build unix && !linux

package engine

// newPoller opens the poller of a loop; there is but one kind.
func newPoller(bool) (poller, error) { return newPortable(), nil }
