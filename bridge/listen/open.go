package listen

import (
	"context"
	"io/fs"
	"net"
)

// Options says how [Open] makes sockets.
type Options struct {
	// ReusePort lets several processes of one user listen on the same TCP port;
	// the system deals the clients out to them.
	ReusePort bool
	// Mode is who may connect to a Unix socket: those who may write to its file.
	Mode fs.FileMode
}

// Open listens at an address. The file of a Unix socket is removed when the
// listener is closed.
func Open(ctx context.Context, a Address, o Options) (net.Listener, error) {
	if a.Network == "unix" {
		return openUnix(ctx, a.Name, o.Mode)
	}
	var lc net.ListenConfig
	// No client of a bridge has two networks to spread over, and what a listener
	// accepts by Multipath TCP (Go's default) does not inherit its options.
	lc.SetMultipathTCP(false)
	if o.ReusePort {
		lc.Control = reusePort
	}
	return lc.Listen(ctx, a.Network, a.Name)
}
