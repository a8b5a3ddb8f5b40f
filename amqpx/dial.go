package amqpx

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"errors"
	"net"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"
)

// dialTimeout bounds the TCP connection to a single address, and the AMQP handshake.
const dialTimeout = 10 * time.Second

// closeTimeout bounds an orderly close with a broker that may not be listening.
const closeTimeout = 2 * time.Second

// connection is an AMQP connection and the socket below it.
type connection struct {
	*amqp.Connection
	socket      *socket
	interceptor *interceptor
	closed      bool // by us, in an orderly way
}

// close closes the connection in an orderly way, within closeTimeout. Then it closes the socket
// below the library, whose own close waits for a lock that a writer stuck in the socket may
// hold.
func (c *connection) close() {
	force := time.AfterFunc(closeTimeout, func() { c.socket.Close() })
	defer force.Stop()
	// An error means that the connection was already closed, or is being closed by a goroutine
	// that may also be waiting for the stuck writer.
	c.closed = c.CloseDeadline(time.Now().Add(closeTimeout)) == nil
	c.socket.Close()
}

// login is a user name and password. It asks the broker to say so if it refuses them: otherwise
// RabbitMQ waits three seconds and closes the connection, as if the network had failed.
type login struct {
	*amqp.PlainAuth
	properties amqp.Table // of the client
}

// Response is called when the library has put its own capabilities among the properties, and has
// not sent them yet.
func (l *login) Response() string {
	if capabilities, ok := l.properties["capabilities"].(amqp.Table); ok {
		capabilities["authentication_failure_close"] = true
	}
	return l.PlainAuth.Response()
}

// dial opens one AMQP connection to the broker at the URL. The end of the context closes it,
// until its socket is detached. active is set whenever the broker sends anything but a
// heartbeat.
func (l *Link) dial(ctx context.Context, url, purpose string, active *atomic.Bool) (*connection, error) {
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
		FrameSize:  -1, // as long as the broker's own, because headers come in one frame
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
			ic = newInterceptor(plain, active)
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
		s.Close() // the library does not close it
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

// readAhead is how much is read from the network at once. The library reads 4 KiB, which
// means a system call for every dozen messages.
const readAhead = 64 << 10

// socket is the network connection below TLS and the library. It reads ahead of them, and
// remembers how it failed, which the library reports as text or not at all.
type socket struct {
	net.Conn
	r   *bufio.Reader
	raw syscall.RawConn // nil if every write may block
	// detach lets the socket outlive the context with which it was dialled.
	detach func() bool
	// last is when the network last returned all bytes that it had, in nanoseconds since began.
	last  atomic.Int64
	began time.Time

	// writing guards the following fields. It is held while the network is written to.
	writing   sync.Mutex
	unwritten []byte // what the network did not take at once; it goes out first

	// mu guards the following field.
	mu     sync.Mutex
	failed error // the first failure, without the addresses of both ends
}

// newSocket closes the connection when the context ends: the library's requests have no context.
func newSocket(ctx context.Context, conn net.Conn) *socket {
	s := &socket{Conn: conn, began: time.Now()}
	s.r = bufio.NewReaderSize(networkReader{s}, readAhead)
	s.raw = rawOf(conn)
	s.detach = context.AfterFunc(ctx, func() { conn.Close() })
	return s
}

// networkReader reads from the network itself.
type networkReader struct{ *socket }

func (h networkReader) Read(p []byte) (int, error) {
	n, err := h.Conn.Read(p)
	if n > 0 && n < len(p) {
		h.last.Store(int64(time.Since(h.began)))
	}
	return n, err
}

// lastHeard returns when anything, even a heartbeat, last arrived from the broker and was read
// with all that had arrived before it.
func (s *socket) lastHeard() time.Time { return s.began.Add(time.Duration(s.last.Load())) }

func (s *socket) Read(p []byte) (int, error) {
	n, err := s.r.Read(p)
	s.noteError(err)
	return n, err
}

func (s *socket) Write(p []byte) (int, error) {
	s.writing.Lock()
	defer s.writing.Unlock()
	if err := s.writeUnwritten(); err != nil {
		return 0, err
	}
	n, err := s.Conn.Write(p)
	s.noteError(err)
	return n, err
}

// flush writes what writeNow left unwritten.
func (s *socket) flush() error {
	s.writing.Lock()
	defer s.writing.Unlock()
	return s.writeUnwritten()
}

// writeUnwritten is called with writing held.
func (s *socket) writeUnwritten() error {
	if len(s.unwritten) == 0 {
		return nil
	}
	_, err := s.Conn.Write(s.unwritten)
	s.unwritten = nil
	s.noteError(err)
	return err
}

// tryLock locks writing. It fails if another goroutine is writing, which may be waiting for the
// network, or if something has to be written first.
func (s *socket) tryLock() bool {
	if s.raw == nil || !s.writing.TryLock() {
		return false
	}
	if len(s.unwritten) > 0 {
		s.writing.Unlock()
		return false
	}
	return true
}

// writeNow writes without waiting for the network. What the network does not take goes out
// first at the next flush. It is called after tryLock.
func (s *socket) writeNow(p []byte) (int, error) {
	n, err := writeNow(s.raw, p)
	s.noteError(err)
	if err == nil && n < len(p) {
		s.unwritten = bytes.Clone(p[n:])
	}
	return len(p), err
}

func (s *socket) noteError(err error) {
	if err == nil || errors.Is(err, net.ErrClosed) { // closed by the link itself
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.failed == nil {
		s.failed = stripAddr(err)
	}
}

// failure returns how the network failed, or nil.
func (s *socket) failure() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.failed
}

// cause returns the cause of an error of the library: what the broker sent, else how the
// network failed, else the error itself.
func (s *socket) cause(err error) error {
	if failed := s.failure(); failed != nil && !fromBroker(err) {
		return failed
	}
	return err
}

// stripAddr returns a network error without addresses. The local port differs at every attempt
// and would make the same failure look new.
func stripAddr(err error) error {
	if op, ok := errors.AsType[*net.OpError](err); ok {
		return op.Err
	}
	return err
}

// closesOverRefusals reports whether the broker closes the connection, not only the channel, when
// it refuses a request. Qpid Broker-J does so for an argument that it does not know, and for a
// queue of another connection. So the link asks such a broker only for what it cannot do without.
func (c *connection) closesOverRefusals() bool {
	return strings.Contains(c.product(), "Qpid")
}

// neverRemoves reports whether the broker is known never to remove messages from a queue by
// itself. The embedded broker has neither policies nor expirations, and needs no dead letters.
func (c *connection) neverRemoves() bool {
	return c.product() == "clu-ws embedded broker"
}

// product returns the name that the broker gives itself.
func (c *connection) product() string {
	product, _ := c.Properties["product"].(string)
	return product
}

// mayHaveKhepri reports whether the broker may keep its queues and bindings in Khepri, as
// RabbitMQ can from version 4 on.
func (c *connection) mayHaveKhepri() bool {
	version, _ := c.Properties["version"].(string)
	major, err := strconv.Atoi(strings.SplitN(version, ".", 2)[0])
	return c.product() == "RabbitMQ" && err == nil && major >= 4
}
