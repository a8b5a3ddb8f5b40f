//go:build !unix

package engine

import "errors"

// startLoops refuses to serve where the loops' system calls do not exist.
func (e *Engine) startLoops() error {
	return errors.New("engine: serving clients needs Linux, macOS or a BSD")
}

// roomForConnections is how many connections the system allows, as far as it says so.
func roomForConnections() int { return 1 << 30 }

// secure is the TLS layer of a connection on a loop: there are none.
type secure struct{}

// handshakes are those of TLS connections on loops.
type handshakes struct{}

func newHandshakes(*Engine) *handshakes { return nil }
