package bench

import (
	"context"
	_ "embed"
	"net"
	"strconv"

	"github.com/gobwas/ws"
)

//go:embed uwebsockets.py
var uWebSocketsProgram string

func (r *peersRun) startUWebSockets(ctx context.Context) (*runningPeer, error) {
	p, addrs, err := r.serverProcess(ctx, "uWebSockets", 1, func(dir string, ports []int) ([]string, error) {
		python, err := r.tool("uwebsockets/bin/python")
		if err != nil {
			return nil, err
		}
		file, err := config(dir, "server.py", "%s", uWebSocketsProgram)
		return []string{python, file, strconv.Itoa(ports[0])}, err
	})
	if err != nil {
		return nil, err
	}
	source := newStreamSource("", "", r.loop.clock, publishFrame)
	source.connect = func(ctx context.Context) (net.Conn, error) {
		conn, _, _, err := ws.Dial(ctx, "ws://"+addrs[0]+"/publish")
		return conn, err
	}
	p.source = source
	return p, nil
}
