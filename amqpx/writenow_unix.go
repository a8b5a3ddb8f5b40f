//go:build unix

package amqpx

import (
	"net"
	"syscall"
)

// rawOf returns the socket of a connection. It returns nil if there is none, or if writing to the
// connection may do more than write to the socket: a type that embeds a connection also has its
// method.
func rawOf(conn net.Conn) syscall.RawConn {
	var c syscall.Conn
	switch conn := conn.(type) {
	case *net.TCPConn:
		c = conn
	case *net.UnixConn:
		c = conn
	default:
		return nil
	}
	raw, err := c.SyscallConn()
	if err != nil {
		return nil
	}
	return raw
}

// writeNow writes as much as the socket takes without blocking, which may be nothing.
func writeNow(raw syscall.RawConn, p []byte) (n int, err error) {
	var failed error
	err = raw.Write(func(fd uintptr) bool {
		for {
			n, failed = syscall.Write(int(fd), p)
			if failed != syscall.EINTR {
				return true
			}
		}
	})
	if failed == syscall.EAGAIN {
		failed = nil
	}
	if err == nil {
		err = failed
	}
	return max(n, 0), err
}
