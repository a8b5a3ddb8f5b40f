package listen

import (
	"net"
	"sync/atomic"

	"github.com/clu-ws/clu-ws/bridge/proxyproto"
)

// ProxyListener is a listener each of whose connections begins with a header of the
// PROXY protocol. Who serves what is in it without TLS reads the header itself; what
// [Secure] makes of it reads the header before TLS.
type ProxyListener struct{ net.Listener }

// Accept gives a connection that reads the header first: a client that is slow with
// it is in nobody's way.
func (l *ProxyListener) Accept() (net.Conn, error) {
	socket, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return &proxyConn{Conn: socket}, nil
}

// proxyConn takes the header off what is read.
type proxyConn struct {
	net.Conn
	done   bool
	err    error
	rest   []byte // what was read behind the header
	client atomic.Pointer[net.TCPAddr]
}

// NetConn is the connection below.
func (c *proxyConn) NetConn() net.Conn { return c.Conn }

func (c *proxyConn) Read(p []byte) (int, error) {
	if !c.done && c.err == nil {
		c.err = c.readHeader()
	}
	switch {
	case c.err != nil:
		return 0, c.err
	case len(c.rest) == 0:
		return c.Conn.Read(p)
	}
	n := copy(p, c.rest)
	if c.rest = c.rest[n:]; len(c.rest) == 0 {
		c.rest = nil
	}
	return n, nil
}

func (c *proxyConn) readHeader() error {
	var buf [512]byte
	for {
		n, err := c.Conn.Read(buf[:])
		c.rest = append(c.rest, buf[:n]...)
		client, length, wrong := proxyproto.Parse(c.rest)
		switch {
		case wrong != nil:
			return wrong
		case length > 0:
			c.done, c.rest = true, c.rest[length:]
			if client.IsValid() {
				c.client.Store(net.TCPAddrFromAddrPort(client))
			}
			return nil
		case err != nil:
			return err
		}
	}
}

// RemoteAddr is the client's, once the header was read.
func (c *proxyConn) RemoteAddr() net.Addr {
	if client := c.client.Load(); client != nil {
		return client
	}
	return c.Conn.RemoteAddr()
}
