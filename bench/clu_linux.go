package bench

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"strconv"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"

	"github.com/clu-ws/clu-ws/actor"
)

// cluExchange is the exchange of CLU's server, which has no option for another.
const cluExchange = actor.Exchange

// errMissing is what a row of the table lacks.
type errMissing string

func (e errMissing) Error() string { return string(e) }

// cluWebsocket starts `clu websocket`, and returns its address. The server has its own home directory, since CLU writes
// its logs there.
func (b *bench) cluWebsocket(ctx context.Context) (server *cluServer, addr string, err error) {
	if b.cfg.CLU == "" {
		return nil, "", errMissing("CLU is not installed; run scripts/setup-test.sh, or name its program with --clu")
	}
	uri, err := amqp.ParseURI(b.rabbitURL)
	if err != nil {
		return nil, "", err
	}
	if uri.Username != "guest" || uri.Password != "guest" || uri.Vhost != "/" || uri.Scheme != "amqp" {
		return nil, "", errMissing("it supports only the user guest and the virtual host /")
	}
	port, err := freePort()
	if err != nil {
		return nil, "", err
	}
	home, err := os.MkdirTemp("", "clu-ws-bench-")
	if err != nil {
		return nil, "", err
	}
	c, err := startChild("clu websocket", "env", "HOME="+home, b.cfg.CLU, "websocket",
		"--port", strconv.Itoa(port), "--rabbitmq-host", uri.Host, "--rabbitmq-port", strconv.Itoa(uri.Port))
	if err != nil {
		os.RemoveAll(home)
		return nil, "", err
	}
	server = &cluServer{c, home}
	addr = net.JoinHostPort("127.0.0.1", strconv.Itoa(port))
	if err := server.listens(ctx, addr); err != nil {
		server.stop()
		return nil, "", err
	}
	return server, addr, nil
}

// cluServer is CLU's own WebSocket server.
type cluServer struct {
	*child
	home string
}

func (s *cluServer) stop() {
	s.child.stop()
	os.RemoveAll(s.home)
}

// listens waits until the server accepts connections. It prints nothing when it does.
func (s *cluServer) listens(ctx context.Context, addr string) error {
	ctx, cancel := context.WithTimeoutCause(ctx, startTimeout, fmt.Errorf("nothing within %v", startTimeout))
	defer cancel()
	for {
		conn, err := net.Dial("tcp", addr)
		if err == nil {
			return conn.Close()
		}
		select {
		case <-time.After(50 * time.Millisecond):
		case <-s.done:
			return fmt.Errorf("%s has ended; the end of its log:\n%s", s.name, s.tail)
		case <-ctx.Done():
			return fmt.Errorf("%s does not listen: %w", s.name, context.Cause(ctx))
		}
	}
}

// freePort returns a port that is free at the moment.
func freePort() (int, error) {
	ln, err := net.Listen("tcp", ":0") // CLU listens on all addresses
	if err != nil {
		return 0, err
	}
	defer ln.Close()
	addr, ok := ln.Addr().(*net.TCPAddr)
	if !ok {
		return 0, errors.New("no TCP address")
	}
	return addr.Port, nil
}
