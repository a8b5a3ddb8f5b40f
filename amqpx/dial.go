package amqpx

import (
	"bufio"
	"context"
	"net"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"
)

// dialTimeout bounds the TCP connection and the AMQP handshake together.
const dialTimeout = 10 * time.Second

// readAhead is how much is read from the socket at once. The library reads
// through 4 KiB, a system call for every dozen replies.
const readAhead = 64 << 10

// aheadConn reads ahead of the library. The deadlines are the connection's own.
type aheadConn struct {
	net.Conn
	r *bufio.Reader
}

func (c *aheadConn) Read(p []byte) (int, error) { return c.r.Read(p) }

// dial opens one AMQP connection to the broker at the URL.
func (l *Link) dial(ctx context.Context, url, purpose string) (*amqp.Connection, error) {
	properties := amqp.NewConnectionProperties()
	properties["connection_name"] = l.cfg.Name + " " + purpose
	properties["product"] = "clu-ws"
	cfg := amqp.Config{
		Heartbeat:       l.cfg.Heartbeat,
		TLSClientConfig: l.cfg.TLS,
		Properties:      properties,
		Dial: func(network, addr string) (net.Conn, error) {
			conn, err := l.dialNet(ctx, network, addr)
			if err != nil {
				return nil, err
			}
			// The library lifts this deadline when the handshake is over.
			if err := conn.SetDeadline(time.Now().Add(dialTimeout)); err != nil {
				conn.Close()
				return nil, err
			}
			return &aheadConn{Conn: conn, r: bufio.NewReaderSize(conn, readAhead)}, nil
		},
	}
	conn, err := amqp.DialConfig(url, cfg)
	if err != nil {
		return nil, &handshakeError{err}
	}
	return conn, nil
}

func (l *Link) dialNet(ctx context.Context, network, addr string) (net.Conn, error) {
	if l.cfg.Dial != nil {
		return l.cfg.Dial(network, addr)
	}
	d := net.Dialer{Timeout: dialTimeout, KeepAlive: 15 * time.Second}
	return d.DialContext(ctx, network, addr)
}
