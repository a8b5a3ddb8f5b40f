//go:build !unix

package amqpx

import (
	"errors"
	"net"
	"syscall"
)

// rawOf returns nil: the link writes on a goroutine that may block.
func rawOf(net.Conn) syscall.RawConn { return nil }

func writeNow(syscall.RawConn, []byte) (int, error) { return 0, errors.ErrUnsupported }
