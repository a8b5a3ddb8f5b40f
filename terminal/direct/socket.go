package direct

import (
	"context"
	"errors"
	"net"
	"os"
	"path/filepath"
)

// dialer connects to a bridge in this process. Each connection has a Unix socket of its own, in a folder that only
// this user may enter and that is removed as soon as it is connected: nobody else can connect, and whatever ends the
// program, nothing stays.
type dialer struct {
	listen func(net.Listener) error
}

func (d dialer) dial(ctx context.Context, _, _ string) (net.Conn, error) {
	folder, err := os.MkdirTemp("", "clu-ws-") // only its owner may enter it
	if err != nil {
		return nil, err
	}
	conn, err := d.dialIn(ctx, filepath.Join(folder, "s"))
	if gone := os.RemoveAll(folder); gone != nil && conn != nil {
		return nil, errors.Join(gone, conn.Close())
	}
	return conn, err
}

func (d dialer) dialIn(ctx context.Context, path string) (net.Conn, error) {
	var config net.ListenConfig
	ln, err := config.Listen(ctx, "unix", path)
	if err != nil {
		return nil, err
	}
	if err := d.listen(ln); err != nil {
		return nil, errors.Join(err, ln.Close())
	}
	return (&net.Dialer{}).DialContext(ctx, "unix", path)
}
