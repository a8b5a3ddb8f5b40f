package redislink

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"net"
	"strings"
	"sync/atomic"
	"time"
)

// conn is a connection to a server of Redis. One goroutine reads at a time, and one writes.
type conn struct {
	net.Conn
	reader
	heard *heardConn
	began time.Time // before it was made
	stop  func() bool
}

// heardConn is a connection that notes when something came, or was begun to be waited for.
type heardConn struct {
	net.Conn
	waiting atomic.Bool  // in Read; while messages are not taken, silence is no sign
	last    atomic.Int64 // in nanoseconds
}

func (c *heardConn) Read(b []byte) (int, error) {
	c.last.Store(time.Now().UnixNano())
	c.waiting.Store(true)
	n, err := c.Conn.Read(b)
	c.waiting.Store(false)
	return n, err
}

// silentFor returns for how long nothing has come that was waited for.
func (c *heardConn) silentFor() time.Duration {
	if !c.waiting.Load() {
		return 0
	}
	return time.Since(time.Unix(0, c.last.Load()))
}

// dial connects to an address, and authenticates if there is a password. The connection is closed when
// the context ends; until then it has ioTimeout for what it does.
func (l *Link) dial(ctx context.Context, addr, user, password string) (*conn, error) {
	began := time.Now()
	raw, err := (&net.Dialer{Timeout: dialTimeout}).DialContext(ctx, l.to.network, addr)
	if err != nil {
		return nil, err
	}
	c := &conn{heard: &heardConn{Conn: raw}, began: began}
	c.Conn = c.heard
	c.stop = context.AfterFunc(ctx, func() { _ = raw.Close() })
	_ = raw.SetDeadline(began.Add(dialTimeout + ioTimeout))
	if err := c.greet(ctx, l, addr, user, password); err != nil {
		c.close()
		return nil, err
	}
	return c, nil
}

// greet does what comes before the first command.
func (c *conn) greet(ctx context.Context, l *Link, addr, user, password string) error {
	if l.to.tls != nil {
		settings := l.to.tls.Clone()
		host, _, err := net.SplitHostPort(addr)
		if err != nil {
			return err
		}
		settings.ServerName = host // as a cluster has several
		secured := tls.Client(c.heard, settings)
		if err := secured.HandshakeContext(ctx); err != nil {
			return err
		}
		c.Conn = secured
	}
	c.reader = reader{br: bufio.NewReaderSize(c.Conn, lineBuffer), maxBody: l.cfg.MaxBody}
	if password == "" {
		return nil
	}
	args := []string{"AUTH", user, password}
	if user == "" {
		args = []string{"AUTH", password}
	}
	_, err := c.do(args...)
	return withoutPassword(err, password)
}

// withoutPassword returns an error of Redis without the password, which a server repeats, or the
// beginning of it, if it does not know AUTH.
func withoutPassword(err error, password string) error {
	var said serverError
	if !errors.As(err, &said) {
		return err
	}
	text, _, _ := strings.Cut(string(said), ", with args")
	return serverError(strings.ReplaceAll(text, password, "(hidden)"))
}

// do sends a command, and returns the answer.
func (c *conn) do(args ...string) ([]field, error) {
	if _, err := c.Write(command(args...)); err != nil {
		// What Redis has said before it closed the connection tells more.
		if _, said := c.next(); isServerError(said) {
			return nil, said
		}
		return nil, err
	}
	return c.next()
}

// close closes the connection under TLS, which would want to say goodbye.
func (c *conn) close() {
	c.stop()
	_ = c.heard.Close()
}
