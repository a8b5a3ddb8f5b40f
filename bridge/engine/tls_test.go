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
	"sync/atomic"
	"testing"
	"time"

	"github.com/gobwas/ws"

	"github.com/clu-ws/clu-ws/internal/testkit"
)

// onPollersOverTLS runs a test over TLS with every poller.
func onPollersOverTLS(t *testing.T, test func(t *testing.T, start starter)) {
	onPollers(t, func(t *testing.T, start starter) {
		test(t, func(cfg Config, adjust ...func(*server)) *server {
			return start(cfg, append([]func(*server){overTLS}, adjust...)...)
		})
	})
}

// dialTLS connects with a configuration of its own.
func (s *server) dialTLS(t *testing.T, cfg *tls.Config) *client {
	t.Helper()
	c := s.dialRaw(t)
	secure := tls.Client(c.Conn, cfg)
	if err := secure.Handshake(); err != nil {
		t.Fatal(err)
	}
	return &client{t, secure, bufio.NewReader(secure)}
}

// bytewise sends every byte in a write of its own.
type bytewise struct{ net.Conn }

func (b bytewise) Write(p []byte) (n int, err error) {
	for ; n < len(p) && err == nil; n++ {
		_, err = b.Conn.Write(p[n : n+1])
	}
	return n, err
}

func TestRecordsMayBeSplitAnywhere(t *testing.T) {
	onPollersOverTLS(t, func(t *testing.T, start starter) {
		for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
			s := start(Config{})
			raw := s.dialRaw(t)
			secure := tls.Client(bytewise{raw.Conn}, &tls.Config{InsecureSkipVerify: true, MaxVersion: version})
			c := &client{t, secure, bufio.NewReader(secure)}
			c.upgrade("/")
			c.send(text("one"), text("two"))
			for _, want := range []string{"one", "two"} {
				if got := testkit.Receive(t, s.messages); got != want {
					t.Errorf("got %q, want %q", got, want)
				}
			}
			s.log.Append(Text(strings.Repeat("x", 100_000)))
			c.expect(strings.Repeat("x", 100_000))
			if got := secure.ConnectionState().Version; got != version {
				t.Errorf("they speak %x", got)
			}
		}
	})
}

func TestASessionIsResumed(t *testing.T) {
	onPollersOverTLS(t, func(t *testing.T, start starter) {
		for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
			s := start(Config{})
			cfg := &tls.Config{InsecureSkipVerify: true, MaxVersion: version, ClientSessionCache: tls.NewLRUClientSessionCache(1)}
			for i := range 2 {
				c := s.dialTLS(t, cfg)
				c.upgrade("/") // in TLS 1.3 the ticket precedes the response
				if got := c.Conn.(*tls.Conn).ConnectionState().DidResume; got != (i > 0) {
					t.Errorf("version %x, connection %d: resumed is %t", version, i, got)
				}
			}
		}
	})
}

func TestACertificateIsReplacedWhileClientsStay(t *testing.T) {
	onPollersOverTLS(t, func(t *testing.T, start starter) {
		var current atomic.Pointer[tls.Certificate]
		show := func(name string) {
			c := certificate(name)
			current.Store(&c)
		}
		show("old")
		s := start(Config{}, func(s *server) {
			s.tls = &tls.Config{GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) { return current.Load(), nil }}
		})
		shown := func(c *client) string {
			return c.Conn.(*tls.Conn).ConnectionState().PeerCertificates[0].Subject.CommonName
		}
		old := s.dialTLS(t, clientTLS)
		old.upgrade("/")
		show("new")
		fresh := s.dialTLS(t, clientTLS)
		fresh.upgrade("/")
		if shown(old) != "old" || shown(fresh) != "new" {
			t.Errorf("they are shown %q and %q", shown(old), shown(fresh))
		}
		s.log.Append(Text("to both"))
		old.expect("to both")
		fresh.expect("to both")
	})
}

func TestARequestHasTheClientsCertificate(t *testing.T) {
	onPollersOverTLS(t, func(t *testing.T, start starter) {
		names := make(chan string, 2)
		note := func(state *tls.ConnectionState) {
			if state == nil || len(state.PeerCertificates) != 1 {
				names <- fmt.Sprint(state)
				return
			}
			names <- state.PeerCertificates[0].Subject.CommonName
		}
		s := start(Config{HTTP: http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { note(r.TLS) })}, func(s *server) {
			s.tls = s.tls.Clone()
			s.tls.ClientAuth = tls.RequireAnyClientCert
			s.accept = func(r *Request) (Accepted, error) {
				note(r.TLS())
				return Accepted{}, nil
			}
		})
		for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
			for _, request := range []string{upgradeRequest, "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"} {
				c := s.dialTLS(t, &tls.Config{InsecureSkipVerify: true, MaxVersion: version, Certificates: []tls.Certificate{certificate("astronomer")}})
				c.send([]byte(request))
				c.response()
				if got := testkit.Receive(t, names); got != "astronomer" {
					t.Errorf("version %x: the client is %s", version, got)
				}
			}
		}
	})
}

func TestAPlainRequestHasNoTLS(t *testing.T) {
	onPollers(t, func(t *testing.T, start starter) {
		s := start(Config{}, func(s *server) {
			s.accept = func(r *Request) (Accepted, error) {
				if r.TLS() != nil {
					t.Error("it has")
				}
				return Accepted{}, nil
			}
		})
		s.dialTCP(t).upgrade("/")
	})
}

// The response is longer than what the socket and the client's buffers take at once.
func TestAPageIsServedWithTheBytesAfterItsRequest(t *testing.T) {
	onPollersOverTLS(t, func(t *testing.T, start starter) {
		page := strings.Repeat("a page\n", 1<<20)
		s := start(Config{HTTP: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			conn, rw, err := http.NewResponseController(w).Hijack()
			if err != nil {
				t.Error(err)
				return
			}
			defer conn.Close()
			line, err := rw.ReadString('\n')
			if err != nil {
				t.Error(err)
			}
			fmt.Fprint(rw, "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n", page, line)
			_ = rw.Flush()
		})})
		c := s.dialTLS(t, clientTLS)
		for _, piece := range []string{"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n", "and ", "more\n"} {
			c.send([]byte(piece))
		}
		if body, err := io.ReadAll(c.response().Body); err != nil || string(body) != page+"and more\n" {
			t.Errorf("got %d bytes, %v", len(body), err)
		}
	})
}

func TestACloseNotifyEndsAConnectionWithAndWithoutTheEndOfItsSocket(t *testing.T) {
	onPollersOverTLS(t, func(t *testing.T, start starter) {
		for name, hangUp := range map[string]func(c *tls.Conn) error{
			"close_notify":             func(c *tls.Conn) error { return c.CloseWrite() },
			"the socket's end":         func(c *tls.Conn) error { return socketOf(c).CloseWrite() },
			"close_notify and the end": func(c *tls.Conn) error { return c.Close() },
		} {
			s := start(Config{})
			c := s.dial(t)
			c.send(text("last"))
			if err := hangUp(c.Conn.(*tls.Conn)); err != nil {
				t.Fatal(err)
			}
			if got := testkit.Receive(t, s.messages); got != "last" {
				t.Errorf("%s: the last message is %q", name, got)
			}
			if got := testkit.Receive(t, s.closed); got.code != 1006 || got.reason != reasonHungUp {
				t.Errorf("%s: closed with %v", name, got)
			}
		}
	})
}

func TestTheEndOfAConnectionIsACloseNotify(t *testing.T) {
	onPollersOverTLS(t, func(t *testing.T, start starter) {
		s := start(Config{})
		c := s.dial(t)
		c.send(masked(true, ws.OpClose, "\x03\xe8"))
		if f := c.frame(); f.Header.OpCode != ws.OpClose {
			t.Fatalf("got %v", f)
		}
		// A tls.Conn returns io.EOF for a close_notify, and io.ErrUnexpectedEOF without
		// one.
		if rest, err := io.ReadAll(c.r); err != nil || len(rest) > 0 {
			t.Errorf("after the close frame come %q, %v", rest, err)
		}
	})
}

func TestASlowTLSClientDelaysNoOther(t *testing.T) {
	onPollersOverTLS(t, func(t *testing.T, start starter) {
		s := start(Config{Limits: Limits{LogBytes: 4 << 20}})
		honest := s.dial(t)
		for range 20 {
			s.dial(t)
		}
		frame := strings.Repeat("x", 24_000)
		late := 0
		for range 1000 {
			began := time.Now()
			s.log.Append(Text(frame))
			honest.expect(frame)
			if time.Since(began) > time.Second {
				late++
			}
		}
		if late > 5 { // each slow client would delay one; a crowded machine may delay some
			t.Errorf("%d frames took more than a second", late)
		}
		for range 20 {
			if got := testkit.Receive(t, s.closed); got.code != 1008 {
				t.Errorf("a slow client is closed with %v", got)
			}
		}
	})
}
