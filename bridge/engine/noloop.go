//go:build !linux

package engine

// startLoops has no loops to start where there is no epoll: every connection is
// served on goroutines.
func (e *Engine) startLoops() error { return nil }
