package engine

import (
	"crypto/tls"
	"net"
	"os"
	"slices"
)

// tlsLayer is the TLS layer of a connection on a loop: a [tls.Conn] over memory. The loop
// puts ciphertext from the socket into it, and takes out ciphertext for the socket; neither
// blocks. Only the handshake, which crypto/tls cannot interrupt, runs on its own goroutine
// (tls_handshake.go).
//
// The embedded connection is a [noConn] until net/http takes over, and the socket from then
// on.
type tlsLayer struct {
	net.Conn
	conn      *tls.Conn // nil until the ClientHello is complete
	loop      *loop
	in        records    // ciphertext not decrypted yet
	handshake *handshake // nil unless the handshake is queued or running

	unsent []byte // ciphertext that must go to net/http's socket first

	counted            int  // bytes of in, and bytesWithoutData, counted as inbound
	bytesWithoutData   int  // bytes of records since the last one with data
	recordsWithoutData int  // records since the last one with data
	onLoop             bool // the loop owns it, not net/http
	done               bool // the handshake is done
	ended              bool // the peer sends no more: close_notify was received
	notified           bool // close_notify was sent
}

// noConn is a connection without a socket, on which deadlines and Close do nothing: the
// loop owns the socket, and writes a close_notify like everything else. It has addresses
// for callbacks of the configuration.
type noConn struct{ net.TCPConn }

func (*noConn) LocalAddr() net.Addr  { return &net.TCPAddr{} }
func (*noConn) RemoteAddr() net.Addr { return &net.TCPAddr{} }

// errNoRecord is returned by Read while there is no complete record. crypto/tls passes a
// temporary error on without remembering it.
var errNoRecord = os.ErrDeadlineExceeded

// tlsTransport is the [net.Conn] below the layer's tls.Conn.
type tlsTransport tlsLayer

// Read reads ciphertext: during the handshake from what the loop feeds, then from the
// complete records, and finally from net/http's socket.
func (m *tlsTransport) Read(p []byte) (int, error) {
	switch {
	case m.handshake != nil:
		return m.handshake.read(p)
	case m.onLoop:
		return m.readRecord(p)
	case len(m.in.data) > 0:
		n := copy(p, m.in.data)
		if m.in.data = m.in.data[n:]; len(m.in.data) == 0 {
			m.in.data = nil
		}
		return n, nil
	}
	return m.Conn.Read(p)
}

// readRecord reads from the complete records. Each counts as work: crypto/tls continues by
// itself after one without data, such as a key update.
func (m *tlsTransport) readRecord(p []byte) (int, error) {
	if m.in.left == 0 {
		if m.loop.quantum <= 0 {
			return 0, errNoRecord
		}
		if m.in.ready() {
			m.loop.quantum -= messageCost
			m.recordsWithoutData++
		}
	}
	n := m.in.read(p)
	if n == 0 {
		return 0, errNoRecord
	}
	m.bytesWithoutData += n
	return n, nil
}

// Write takes ciphertext: during the handshake for the loop to fetch, then for the loop's
// current write, and finally for net/http's socket.
func (m *tlsTransport) Write(p []byte) (int, error) {
	switch {
	case m.handshake != nil:
		return m.handshake.write(p)
	case m.onLoop:
		scratch := &m.loop.scratch
		scratch.ciphertext = append(scratch.ciphertext, p...)
		return len(p), nil
	case len(m.unsent) > 0:
		if _, err := m.Conn.Write(m.unsent); err != nil {
			return 0, err
		}
		m.unsent = nil
	}
	return m.Conn.Write(p)
}

// hasInput reports whether ciphertext from the peer waits in memory.
func (s *tlsLayer) hasInput() bool { return s != nil && len(s.in.data) > 0 }

// canSend reports whether data can be sent: without TLS, or after the handshake.
func (s *tlsLayer) canSend() bool { return s == nil || s.done }

// dropHTTP2 removes h2 from the protocols that a listener offers: a WebSocket needs
// HTTP/1.1, and browsers prefer h2 if it is offered (RFC 6455, 1.7).
func dropHTTP2(protocols []string) []string {
	others := slices.DeleteFunc(slices.Clone(protocols), func(p string) bool { return p == "h2" })
	if len(others) == 0 && len(protocols) > 0 {
		return []string{"http/1.1"}
	}
	return others
}
