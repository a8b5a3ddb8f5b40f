//go:build unix

package engine

import (
	"bufio"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/gobwas/ws"

	"github.com/clu-ws/clu-ws/internal/testkit"
)

// expectNothingHeld waits until neither bytes nor handshakes are left.
func (s *server) expectNothingHeld(t *testing.T) {
	t.Helper()
	testkit.Eventually(t, testkit.Patience, "nothing is held", func() error {
		if n := s.Stats().Inbound; n != 0 {
			return fmt.Errorf("%d bytes are", n)
		}
		return nil
	})
	s.handshakes.expectCounts(t, 0, 0)
}

func TestABrowserThatPrefersHTTP2SpeaksHTTP1(t *testing.T) {
	onPollersOverTLS(t, func(t *testing.T, start starter) {
		for _, offered := range [][]string{nil, {"http/1.1"}, {"h2", "http/1.1"}, {"h2"}, {"h2", "http/1.1", "acme-tls/1"}} {
			s := start(Config{}, func(s *server) {
				s.tls = s.tls.Clone()
				s.tls.NextProtos = offered
			})
			c := s.dialTLS(t, &tls.Config{InsecureSkipVerify: true, NextProtos: []string{"h2", "http/1.1"}})
			if got := c.Conn.(*tls.Conn).ConnectionState().NegotiatedProtocol; got == "h2" || got == "" && offered != nil {
				t.Errorf("where %q is offered they agree on %q", offered, got)
			}
			c.upgrade("/")
			if resp := s.get(t, must(http.NewRequest("GET", "/", nil))); resp.ProtoMajor != 1 {
				t.Errorf("where %q is offered a page comes by %s", offered, resp.Proto)
			}
		}
	})
}

// refragmented sends the records of a handshake with one byte each.
type refragmented struct {
	net.Conn
	sent int // records sent that way
	most int
}

func (r *refragmented) Write(p []byte) (int, error) {
	var out []byte
	for rest := p; len(rest) > 0; {
		n := recordHeader + int(rest[3])<<8 + int(rest[4])
		record := rest[:n]
		rest = rest[n:]
		if record[0] != recordHandshake || r.sent >= r.most {
			out = append(out, record...)
			continue
		}
		r.sent++
		for _, b := range record[recordHeader:] {
			out = append(out, record[0], record[1], record[2], 0, 1, b)
		}
	}
	if _, err := r.Conn.Write(out); err != nil {
		return 0, err
	}
	return len(p), nil
}

func TestAHandshakeMayComeInOneByteRecords(t *testing.T) {
	onPollersOverTLS(t, func(t *testing.T, start starter) {
		for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
			s := start(Config{})
			// In version 1.2 the ClientHello and the key exchange are in the clear.
			secure := tls.Client(&refragmented{Conn: s.dialRaw(t).Conn, most: 2}, &tls.Config{InsecureSkipVerify: true, MaxVersion: version})
			if err := secure.Handshake(); err != nil {
				t.Fatalf("version %x: %v", version, err)
			}
			c := &client{t, secure, bufio.NewReader(secure)}
			c.upgrade("/")
			c.send(text("hello"))
			if got := testkit.Receive(t, s.messages); got != "hello" {
				t.Errorf("got %q", got)
			}
		}
	})
}

// A ClientHello of 16 KiB exceeds what a connection may collect without a goroutine.
func TestAClientHelloMayBeLong(t *testing.T) {
	onPollersOverTLS(t, func(t *testing.T, start starter) {
		s := start(Config{}, func(s *server) { s.tls = s.tls.Clone(); s.tls.NextProtos = nil })
		for _, length := range []int{8 << 10, 16 << 10, 40 << 10, 60 << 10} {
			for name, over := range map[string]func(net.Conn) net.Conn{
				"at once":           func(c net.Conn) net.Conn { return c },
				"in records of one": func(c net.Conn) net.Conn { return &refragmented{Conn: c, most: 1} },
			} {
				cfg := &tls.Config{InsecureSkipVerify: true}
				for i := range length / 256 {
					cfg.NextProtos = append(cfg.NextProtos, fmt.Sprintf("%0255d", i))
				}
				if err := tls.Client(over(s.dialRaw(t).Conn), cfg).Handshake(); err != nil {
					t.Errorf("%d bytes %s: %v", length, name, err)
				}
			}
		}
		c := s.dialRaw(t)
		c.send([]byte{22, 3, 1, 0x40, 0, 1, 0xff, 0xff, 0xff}, make([]byte, 16380), []byte{22, 3, 1, 0, 1, 0})
		if _, err := io.Copy(io.Discard, c.r); err != nil && !strings.Contains(err.Error(), "reset") {
			t.Errorf("one of 16 MB: %v", err)
		}
		s.expectNothingHeld(t)
	})
}

// The certificate exceeds what the loop reads ahead of a handshake.
func TestAClientsCertificateMayBeLong(t *testing.T) {
	onPollersOverTLS(t, func(t *testing.T, start starter) {
		s := start(Config{}, func(s *server) {
			s.tls = s.tls.Clone()
			s.tls.ClientAuth = tls.RequireAnyClientCert
		})
		long := certificate("astronomer")
		for len(long.Certificate)*len(long.Certificate[0]) < 200<<10 {
			long.Certificate = append(long.Certificate, long.Certificate[0])
		}
		for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
			c := s.dialTLS(t, &tls.Config{InsecureSkipVerify: true, MaxVersion: version, Certificates: []tls.Certificate{long}})
			c.upgrade("/")
		}
		s.expectNothingHeld(t)
	})
}

func TestACloseNotifyInsideAFrameEndsTheConnection(t *testing.T) {
	onPollersOverTLS(t, func(t *testing.T, start starter) {
		s := start(Config{})
		for _, more := range []bool{false, true} {
			c := s.dialRecords(t)
			half := text(strings.Repeat("x", 1000))[:500]
			all := append(c.encrypt(23, half), c.encrypt(21, []byte{1, 0})...)
			if more { // nothing was sent after it
				all = append(all, c.encrypt(23, text("never"))...)
			}
			c.raw(all)
			if got := testkit.Receive(t, s.closed); got.code != 1006 || got.reason != reasonHungUp {
				t.Errorf("closed with %v", got)
			}
			if _, err := io.Copy(io.Discard, c.r); err != nil && !strings.Contains(err.Error(), "reset") && err != io.ErrUnexpectedEOF {
				t.Errorf("the client gets %v", err)
			}
		}
		if n := len(s.messages); n > 0 {
			t.Errorf("%d messages came", n)
		}
		s.expectNothingHeld(t)
	})
}

// The peer closes in WebSocket and in TLS, and still reads.
func TestAHalfClosedPeerIsAnswered(t *testing.T) {
	onPollersOverTLS(t, func(t *testing.T, start starter) {
		s := start(Config{}, func(s *server) {
			s.message = func(c Conn, m Message) { c.Send(Text(strings.Repeat(string(m.Payload), 100_000))) }
		})
		for name, hangUp := range map[string]func(c *tls.Conn) error{
			"nothing":      func(*tls.Conn) error { return nil },
			"close_notify": func(c *tls.Conn) error { return c.CloseWrite() },
			"the end":      func(c *tls.Conn) error { return socketOf(c).CloseWrite() },
		} {
			c := s.dial(t)
			c.send(text("question"), masked(true, ws.OpClose, "\x03\xe8"))
			if err := hangUp(c.Conn.(*tls.Conn)); err != nil {
				t.Fatal(err)
			}
			c.expect(strings.Repeat("question", 100_000))
			if f := c.frame(); f.Header.OpCode != ws.OpClose {
				t.Errorf("%s: got %v", name, f.Header)
			}
			if rest, err := io.ReadAll(c.r); err != nil || len(rest) > 0 {
				t.Errorf("%s: after the close frame come %q, %v", name, rest, err)
			}
		}
	})
}

func TestAHandshakeThatIsHalfClosedEnds(t *testing.T) {
	onPollersOverTLS(t, func(t *testing.T, start starter) {
		s := start(Config{Limits: Limits{HeadTimeout: time.Minute}})
		hello := helloOf(t)
		for _, n := range []int{0, 1, 5, 100, len(hello)} {
			c := s.dialRaw(t)
			c.send(hello[:n])
			if err := c.Conn.(*net.TCPConn).CloseWrite(); err != nil {
				t.Fatal(err)
			}
			if _, err := io.Copy(io.Discard, c.r); err != nil {
				t.Errorf("%d bytes of a hello: %v", n, err)
			}
		}
		s.expectNothingHeld(t)
	})
}

func TestIncompleteHellosLockNoClientOut(t *testing.T) {
	onPollersOverTLS(t, func(t *testing.T, start starter) {
		const clients = 1500
		s := start(Config{Limits: Limits{HeadTimeout: time.Minute}})
		hello := helloOf(t)
		var all []net.Conn
		for i := range clients {
			c, err := net.Dial("tcp", s.addr)
			if err != nil {
				t.Fatal(err)
			}
			defer c.Close()
			all = append(all, c)
			if _, err := c.Write(hello[:len(hello)-1-i%100]); err != nil {
				t.Fatal(err)
			}
		}
		testkit.Eventually(t, testkit.Patience, "all of it is held", func() error {
			if n := s.Stats().Inbound; n < clients*(len(hello)-101) || n > clients*4096 {
				return fmt.Errorf("%d bytes are", n)
			}
			return nil
		})
		s.handshakes.expectCounts(t, 0, 0)
		s.dial(t)
		for _, c := range all {
			c.Close()
		}
		s.expectNothingHeld(t)
	})
}

// gathered buffers writes until it is flushed.
type gathered struct {
	net.Conn
	hold bool
	kept []byte
}

func (g *gathered) Write(p []byte) (int, error) {
	if g.hold {
		g.kept = append(g.kept, p...)
		return len(p), nil
	}
	g.hold = true // from the second flight on
	return g.Conn.Write(p)
}

// The client has sent everything and half-closed before the server handles the end of its
// handshake.
func TestARequestThatComesWithTheHandshakeAndAFINIsAnswered(t *testing.T) {
	onPollersOverTLS(t, func(t *testing.T, start starter) {
		page := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "a page") })
		s := start(Config{Loops: 1, HTTP: page})
		raw := s.dialRaw(t)
		all := &gathered{Conn: raw.Conn}
		secure := tls.Client(all, clientTLS)
		if err := secure.Handshake(); err != nil {
			t.Fatal(err)
		}
		fmt.Fprint(secure, "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
		release := s.handshakes.hold()
		raw.send(all.kept)
		if err := raw.Conn.(*net.TCPConn).CloseWrite(); err != nil {
			t.Fatal(err)
		}
		l := s.loops[0]
		testkit.Eventually(t, testkit.Patience, "the loop has read all", func() (err error) {
			l.do(func() {
				l.conns.each(func(c *conn) {
					if !c.eof {
						err = fmt.Errorf("it has not ended")
					}
				})
			})
			return err
		})
		release()
		c := &client{t, secure, bufio.NewReader(secure)}
		if body, err := io.ReadAll(c.response().Body); err != nil || string(body) != "a page" {
			t.Errorf("got %q, %v", body, err)
		}
		s.expectNothingHeld(t)
	})
}
