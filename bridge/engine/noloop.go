//go:build !linux

package engine

// startLoops has no loops to start where there is no epoll: every connection is
// served on goroutines.
func (e *Engine) startLoops() error { return nil }

// secure is the TLS layer of a connection on a loop: there are none.
type secure struct{}

// handshakes are those of TLS connections on loops.
type handshakes struct{}

func newHandshakes(*Engine) *handshakes { return nil }
