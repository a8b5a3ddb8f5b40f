//go:build unix

package engine

import (
	"bytes"
	"crypto/tls"
	"strings"
	"testing"
	"time"
	"unsafe"

	"github.com/gobwas/ws"
)

func TestThisVersionOfGoHasTheBuffersThatAreGivenBack(t *testing.T) {
	if n := len(findTLSBuffers()); n != 2 {
		t.Errorf("%d of 2 buffers are found: see what crypto/tls keeps now", n)
	}
}

// buffered is how long the buffers are that crypto/tls keeps for the one connection.
func (s *server) buffered() (n int) {
	l := s.loops[0]
	l.ask(func() {
		l.conns.each(func(c *conn) {
			for _, at := range s.tlsBuffers {
				n += (*bytes.Buffer)(unsafe.Add(unsafe.Pointer(c.tls.conn), at)).Cap()
			}
		})
	})
	return n
}

func TestAnIdleTLSClientHasNoBuffers(t *testing.T) {
	onSecure(t, func(t *testing.T, start starter) {
		for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
			s := start(Config{Loops: 1, Limits: Limits{PingAfter: time.Second}})
			c := s.dialTLS(t, &tls.Config{InsecureSkipVerify: true, MaxVersion: version})
			c.upgrade("/")
			receive(t, s.opened)
			if n := s.buffered(); n > 0 {
				t.Errorf("version %x: after the handshake there are %d bytes", version, n)
			}
			long := strings.Repeat("x", 50_000)
			c.send(text(long))
			if receive(t, s.messages) != long {
				t.Fatal("another message came")
			}
			if n := s.buffered(); n > longBuffer {
				t.Errorf("version %x: after a long message there are %d bytes", version, n)
			}
			c.send(text("a short one"))
			if got := receive(t, s.messages); got != "a short one" {
				t.Fatalf("got %q", got)
			}
			eventually(t, "the buffers are given back", func() bool { return s.buffered() == 0 })
			s.log.Append(Text("still there"))
			f := c.frame()
			for f.Header.OpCode == ws.OpPing {
				f = c.frame()
			}
			if string(f.Payload) != "still there" {
				t.Errorf("got %q", f.Payload)
			}
		}
	})
}
