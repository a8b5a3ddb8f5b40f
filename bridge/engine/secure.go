//go:build unix

package engine

import (
	"crypto/tls"
	"net"
	"slices"
	"time"
)

// secure is the TLS layer of a connection on a loop: a [tls.Conn] over memory. The
// loop puts ciphertext from the socket into it, and takes out the ciphertext that goes
// to the socket; neither ever blocks. Only the handshake, which crypto/tls cannot
// interrupt, runs on a goroutine of its own (secure_handshake.go).
type secure struct {
	conn  *tls.Conn  // nil until the ClientHello is whole
	loop  *loop      // its owner
	in    records    // ciphertext that is not decrypted yet
	shake *handshake // while the handshake is under way or waits for its turn

	socket net.Conn // once it belongs to net/http
	unsent []byte   // ciphertext that goes to it first

	held     int  // how much of in and of unheard is counted as held
	unheard  int  // bytes of records that gave no message's bytes since the last that did
	silent   int  // records since the last that gave data
	done     bool // the handshake is done
	ended    bool // the peer sends no more: close_notify came
	notified bool // close_notify was sent
}

// errNoInput is what reading from the memory of an open connection gives when it holds
// no whole record. crypto/tls passes a temporary error on and does not remember it.
type errNoInput struct{}

func (errNoInput) Error() string   { return "no whole record is there" }
func (errNoInput) Timeout() bool   { return false }
func (errNoInput) Temporary() bool { return true }

// memory is the [net.Conn] that the layer's tls.Conn has below it.
type memory secure

// Read reads ciphertext: in the handshake from what the loop brings, then from the
// records that are whole, and at last from the socket that net/http has.
func (m *memory) Read(p []byte) (int, error) {
	switch {
	case m.shake != nil:
		return m.shake.read(p)
	case m.socket == nil:
		return m.readRecord(p)
	case len(m.in.data) > 0:
		n := copy(p, m.in.data)
		if m.in.data = m.in.data[n:]; len(m.in.data) == 0 {
			m.in.data = nil
		}
		return n, nil
	}
	return m.socket.Read(p)
}

// readRecord reads from the records that are whole. Each counts as work: crypto/tls goes
// on by itself behind one that brings no data, such as a new key.
func (m *memory) readRecord(p []byte) (int, error) {
	if m.in.left == 0 {
		if m.loop.work <= 0 {
			return 0, errNoInput{}
		}
		if m.in.ready() {
			m.loop.work -= messageWork
			m.silent++
		}
	}
	n := m.in.read(p)
	if n == 0 {
		return 0, errNoInput{}
	}
	m.unheard += n
	return n, nil
}

// Write takes ciphertext: in the handshake for the loop to fetch, then on the loop for
// the write that is under way, and at last for the socket that net/http has.
func (m *memory) Write(p []byte) (int, error) {
	switch {
	case m.shake != nil:
		return m.shake.write(p)
	case m.socket != nil:
		if len(m.unsent) > 0 {
			if _, err := m.socket.Write(m.unsent); err != nil {
				return 0, err
			}
			m.unsent = nil
		}
		return m.socket.Write(p)
	}
	m.loop.sealed = append(m.loop.sealed, p...)
	return len(p), nil
}

// Close and the deadlines mean something to net/http only: the loop owns the socket
// until then, and a close_notify is written like everything else.
func (m *memory) Close() error {
	if m.socket != nil {
		return m.socket.Close()
	}
	return nil
}

func (m *memory) LocalAddr() net.Addr {
	if m.socket != nil {
		return m.socket.LocalAddr()
	}
	return &net.TCPAddr{}
}

func (m *memory) RemoteAddr() net.Addr {
	if m.socket != nil {
		return m.socket.RemoteAddr()
	}
	return &net.TCPAddr{}
}

func (m *memory) SetDeadline(t time.Time) error {
	if m.socket != nil {
		return m.socket.SetDeadline(t)
	}
	return nil
}

func (m *memory) SetReadDeadline(t time.Time) error {
	if m.socket != nil {
		return m.socket.SetReadDeadline(t)
	}
	return nil
}

func (m *memory) SetWriteDeadline(t time.Time) error {
	if m.socket != nil {
		return m.socket.SetWriteDeadline(t)
	}
	return nil
}

// waits reports whether input from the peer waits in memory.
func (s *secure) waits() bool { return s != nil && len(s.in.data) > 0 }

// speaks reports whether the connection may be sent something: in the clear, or because
// the handshake is done.
func (s *secure) speaks() bool { return s == nil || s.done }

// withoutHTTP2 leaves h2 out of what a listener offers: a WebSocket needs HTTP/1.1, and
// browsers prefer h2 wherever it is offered (RFC 6455, 1.7).
func withoutHTTP2(protocols []string) []string {
	others := slices.DeleteFunc(slices.Clone(protocols), func(p string) bool { return p == "h2" })
	if len(others) == 0 && len(protocols) > 0 {
		return []string{"http/1.1"}
	}
	return others
}
