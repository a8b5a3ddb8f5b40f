package listen

import (
	"context"
	"io/fs"
	"net"
	"syscall"
)

// Options are the options of [Open].
type Options struct {
	// ReusePort lets several processes of one user listen on the same TCP port; the system
	// distributes the clients.
	ReusePort bool
	// Mode is the mode of a Unix socket's file, unless its [Address] has one. Users with write permission may connect.
	Mode fs.FileMode
}

// deepenBacklog lets as many clients wait to be accepted as the system allows. Go asks for that
// many, but for 128 if it cannot read the limit, as in a service with ProcSubset=pid. That it fails
// is no error: the listener works.
func deepenBacklog(ln net.Listener) {
	if c, ok := ln.(syscall.Conn); ok {
		if raw, err := c.SyscallConn(); err == nil {
			listenAgain(raw)
		}
	}
}

// Open listens at an address. The file of a Unix socket is removed when the
// listener is closed.
func Open(ctx context.Context, a Address, o Options) (net.Listener, error) {
	if a.Network == "unix" {
		return openUnix(ctx, a, o.Mode)
	}
	var lc net.ListenConfig
	// Clients of a bridge do not use two networks at once, and sockets accepted by Multipath
	// TCP (Go's default) do not inherit the listener's options.
	lc.SetMultipathTCP(false)
	if o.ReusePort {
		lc.Control = reusePort
	}
	ln, err := lc.Listen(ctx, a.Network, a.Name)
	if err == nil {
		deepenBacklog(ln)
	}
	return ln, err
}
