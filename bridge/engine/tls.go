package engine

import (
	"crypto/tls"
	"net"
	"os"
	"slices"
)

// tlsLayer is the TLS layer of a connection on a loop: a [tls.Conn] over memory. The
// loop puts ciphertext from the socket into it, and takes out the ciphertext that goes
// to the socket; neither ever blocks. Only the handshake, which crypto/tls cannot
// interrupt, runs on a goroutine of its own (secure_handshake.go).
//
// The embedded connection is the socket once net/http has that. Until then it is
// [noConn].
type tlsLayer struct {
	net.Conn
	conn      *tls.Conn  // nil until the ClientHello is whole
	loop      *loop      // its owner
	in        records    // ciphertext that is not decrypted yet
	handshake *handshake // while the handshake is under way or waits for its turn

	unsent []byte // ciphertext that goes to net/http's socket first

	counted            int  // how much of in and of unheard is counted as held
	bytesWithoutData   int  // bytes of records that gave no message's bytes since the last that did
	recordsWithoutData int  // records since the last that gave data
	onLoop             bool // by the loop
	done               bool // the handshake is done
	ended              bool // the peer sends no more: close_notify came
	notified           bool // close_notify was sent
}

// noConn is a connection without a socket, to which deadlines and Close mean nothing:
// the loop owns the socket, and a close_notify is written like everything else. It has
// addresses, for callbacks of the configuration.
type noConn struct{ net.TCPConn }

func (*noConn) LocalAddr() net.Addr  { return &net.TCPAddr{} }
func (*noConn) RemoteAddr() net.Addr { return &net.TCPAddr{} }

// errNoRecord is what reading from the memory of an open connection gives when it holds
// no whole record. crypto/tls passes a temporary error on and does not remember it.
var errNoRecord = os.ErrDeadlineExceeded

// tlsTransport is the [net.Conn] that the layer's tls.Conn has below it.
type tlsTransport tlsLayer

// Read reads ciphertext: in the handshake from what the loop brings, then from the
// records that are whole, and at last from the socket that net/http has.
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

// readRecord reads from the records that are whole. Each counts as work: crypto/tls goes
// on by itself behind one that brings no data, such as a new key.
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

// Write takes ciphertext: in the handshake for the loop to fetch, then on the loop for
// the write that is under way, and at last for the socket that net/http has.
func (m *tlsTransport) Write(p []byte) (int, error) {
	switch {
	case m.handshake != nil:
		return m.handshake.write(p)
	case m.onLoop:
		m.loop.ciphertext = append(m.loop.ciphertext, p...)
		return len(p), nil
	case len(m.unsent) > 0:
		if _, err := m.Conn.Write(m.unsent); err != nil {
			return 0, err
		}
		m.unsent = nil
	}
	return m.Conn.Write(p)
}

// hasInput reports whether input from the peer waits in memory.
func (s *tlsLayer) hasInput() bool { return s != nil && len(s.in.data) > 0 }

// canSend reports whether the connection may be sent something: in the clear, or because
// the handshake is done.
func (s *tlsLayer) canSend() bool { return s == nil || s.done }

// dropHTTP2 leaves h2 out of what a listener offers: a WebSocket needs HTTP/1.1, and
// browsers prefer h2 wherever it is offered (RFC 6455, 1.7).
func dropHTTP2(protocols []string) []string {
	others := slices.DeleteFunc(slices.Clone(protocols), func(p string) bool { return p == "h2" })
	if len(others) == 0 && len(protocols) > 0 {
		return []string{"http/1.1"}
	}
	return others
}
