package listen

import (
	"net"
	"sync/atomic"

	"github.com/clu-ws/clu-ws/bridge/proxyproto"
)

// ProxyListener is a listener whose connections begin with a PROXY protocol header.
// [Secure] reads the header before TLS; without TLS the server of the connections reads
// it.
type ProxyListener struct{ net.Listener }

// Accept returns a connection that reads the header at its first read, so that a slow
// client does not block others.
func (l *ProxyListener) Accept() (net.Conn, error) {
	socket, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return &proxyConn{Conn: socket}, nil
}

// proxyConn strips the header from the bytes read.
type proxyConn struct {
	net.Conn
	done   bool
	err    error
	rest   []byte // bytes read behind the header
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

// RemoteAddr is the client's address once the header was read.
func (c *proxyConn) RemoteAddr() net.Addr {
	if client := c.client.Load(); client != nil {
		return client
	}
	return c.Conn.RemoteAddr()
}
