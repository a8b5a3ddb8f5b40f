//go:build !linux && !darwin && !freebsd

package engine

// peerOf knows no process on other systems.
func peerOf(int) (p UnixPeer, ok bool) { return p, false }
