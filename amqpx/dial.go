package amqpx

import (
	"cmp"
	"context"
	"net"
	"sync/atomic"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"
)

// dialTimeout bounds the TCP connection to the only address, and the AMQP handshake.
const dialTimeout = 10 * time.Second

// closeTimeout bounds a polite goodbye to a broker that may not be listening.
const closeTimeout = 2 * time.Second

// connection is an AMQP connection and the socket on which it stands.
type connection struct {
	*amqp.Connection
	socket      *socket
	interceptor *interceptor
	closed      bool // in order, by ourselves
}

// close says goodbye within closeTimeout. Then the socket is closed under the
// library, whose own close waits for a lock that a writer stuck in the socket
// holds.
func (c *connection) close() {
	force := time.AfterFunc(closeTimeout, func() { c.socket.Close() })
	defer force.Stop()
	// An error only says that the connection was closed already, or is being
	// closed: by somebody who may wait for the stuck writer too.
	c.closed = c.CloseDeadline(time.Now().Add(closeTimeout)) == nil
	c.socket.Close()
}

// login is a name and a password. It asks the broker to say so when it refuses
// them: without that RabbitMQ waits three seconds and breaks the connection, and
// nobody can tell a wrong password from a broken network.
type login struct {
	*amqp.PlainAuth
	properties amqp.Table // of the client
}

// Response is called when the library has written what it can do itself among
// the properties, and has not sent them yet.
func (l *login) Response() string {
	if capabilities, ok := l.properties["capabilities"].(amqp.Table); ok {
		capabilities["authentication_failure_close"] = true
	}
	return l.PlainAuth.Response()
}

// dial opens one AMQP connection to the broker at the URL. The end of the
// context closes it, until its socket is untied. spoke is set whenever the broker says
// anything but a heartbeat.
func (l *Link) dial(ctx context.Context, url, purpose string, spoke *atomic.Bool) (*connection, error) {
	properties := amqp.NewConnectionProperties()
	properties["connection_name"] = l.cfg.Name + " " + purpose
	properties["product"] = "clu-ws"
	uri, err := amqp.ParseURI(url)
	if err != nil {
		return nil, err
	}
	var s *socket
	var ic *interceptor
	cfg := amqp.Config{
		Heartbeat:  l.cfg.Heartbeat,
		Properties: properties,
		FrameSize:  -1, // as long as the broker's own: headers come in one frame
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
			s = newSocket(ctx, conn)
			plain, err := l.secure(s, uri)
			if err != nil {
				return nil, err
			}
			ic = newInterceptor(plain, spoke)
			return ic, nil
		},
	}
	if uri.AuthMechanism == nil {
		cfg.SASL = []amqp.Authentication{&login{uri.PlainAuth(), properties}}
	}
	conn, err := amqp.DialConfig(withoutTLS(url, uri), cfg)
	if err == nil {
		return &connection{Connection: conn, socket: s, interceptor: ic}, nil
	}
	failed := &handshakeError{err: err}
	if s != nil {
		failed.socket = s.failure()
		s.detach()
		s.Close() // the library leaves its reader behind
	}
	return nil, failed
}

func (l *Link) dialNet(ctx context.Context, network, addr string) (net.Conn, error) {
	if conn := l.current.take(); conn != nil {
		return conn, nil
	}
	ctx, cancel := context.WithTimeout(ctx, dialTimeout)
	defer cancel()
	return l.dialTCP(ctx, network, cmp.Or(l.current.address, addr))
}
