//go:build linux || darwin || freebsd

package engine

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"net/netip"
	"os"
	"path/filepath"
	"runtime"
	"testing"
	"time"

	"github.com/clu-ws/clu-ws/internal/testkit"
)

// self is this process as its own peer.
func self() UnixPeer {
	p := UnixPeer{UID: os.Geteuid(), GID: os.Getegid()}
	if runtime.GOOS != "freebsd" {
		p.PID = os.Getpid()
	}
	return p
}

// listenUnix listens at a Unix socket.
func listenUnix(t *testing.T) (ln net.Listener, path string) {
	t.Helper()
	dir, err := os.MkdirTemp("", "engine") // a test's own is too long for a socket
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	path = filepath.Join(dir, "s")
	if ln, err = net.Listen("unix", path); err != nil {
		t.Fatal(err)
	}
	return ln, path
}

// dialUnix connects to a Unix socket that the server also serves.
func (s *server) dialUnix(t *testing.T) *client {
	t.Helper()
	c := s.dialUnixWith(t, ListenOptions{TLS: s.tls})
	c.startTLS(s)
	return c
}

func (s *server) dialUnixWith(t *testing.T, options ListenOptions) *client {
	t.Helper()
	ln, path := listenUnix(t)
	if err := s.ListenWith(ln, options); err != nil {
		t.Fatal(err)
	}
	conn, err := net.Dial("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	conn.SetDeadline(time.Now().Add(testkit.Patience))
	return &client{t, conn, bufio.NewReader(conn)}
}

type seenPeer struct {
	UnixPeer
	known bool
}

func TestAnUpgradeKnowsTheProcessBehindAUnixSocket(t *testing.T) {
	inEveryWay(t, func(t *testing.T, start starter) {
		seen := make(chan seenPeer, 2)
		s := start(Config{}, func(s *server) {
			s.accept = func(r *Request) (Accepted, error) {
				for _, r := range []*Request{r, r.Clone()} {
					p, ok := r.UnixPeer()
					seen <- seenPeer{p, ok}
				}
				return Accepted{Session: s}, nil
			}
		})
		s.dialUnix(t).upgrade("/")
		for range 2 {
			if got := testkit.Receive(t, seen); got != (seenPeer{self(), true}) {
				t.Errorf("the peer is %+v, want %+v", got, self())
			}
		}
		s.dialTCP(t).upgrade("/")
		for range 2 {
			if got := testkit.Receive(t, seen); got != (seenPeer{}) {
				t.Errorf("the peer of a TCP connection is %+v", got)
			}
		}
	})
}

func TestAnHTTPRequestKnowsTheProcessBehindAUnixSocket(t *testing.T) {
	inEveryWay(t, func(t *testing.T, start starter) {
		seen := make(chan seenPeer, 1)
		s := start(Config{HTTP: http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			p, ok := UnixPeerFromContext(r.Context())
			seen <- seenPeer{p, ok}
		})})
		const request = "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"
		s.dialUnix(t).send([]byte(request))
		if got := testkit.Receive(t, seen); got != (seenPeer{self(), true}) {
			t.Errorf("the peer is %+v, want %+v", got, self())
		}
		s.dialTCP(t).send([]byte(request))
		if got := testkit.Receive(t, seen); got != (seenPeer{}) {
			t.Errorf("the peer of a TCP connection is %+v", got)
		}
	})
}

// Its clients are not the proxy, also those whose address it does not tell.
func TestAProxyAtAUnixSocketIsNotItsClients(t *testing.T) {
	inEveryWay(t, func(t *testing.T, start starter) {
		seen := make(chan seenPeer, 1)
		s := start(Config{HTTP: http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			p, ok := UnixPeerFromContext(r.Context())
			seen <- seenPeer{p, ok}
		})}, func(s *server) {
			s.accept = func(r *Request) (Accepted, error) {
				p, ok := r.UnixPeer()
				seen <- seenPeer{p, ok}
				return Accepted{Session: s}, nil
			}
		})
		for _, header := range []string{"PROXY UNKNOWN\r\n", line4} {
			for _, request := range []string{"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n", upgradeRequest} {
				c := s.dialUnixWith(t, ListenOptions{Proxy: true})
				c.send([]byte(header + request))
				if got := testkit.Receive(t, seen); got != (seenPeer{}) {
					t.Errorf("%q: the peer is %+v", header, got)
				}
			}
		}
	})
}

func TestAnotherServerKnowsTheProcessBehindAUnixSocket(t *testing.T) {
	ln, path := listenUnix(t)
	seen := make(chan seenPeer, 1)
	other := &http.Server{ConnContext: ConnContext, ReadHeaderTimeout: testkit.Patience, Handler: http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		p, ok := UnixPeerFromContext(r.Context())
		seen <- seenPeer{p, ok}
	})}
	ended := async(func() { _ = other.Serve(ln) })
	defer func() { other.Close(); <-ended }()
	conn, err := net.Dial("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if _, err := io.WriteString(conn, "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
	if got := testkit.Receive(t, seen); got != (seenPeer{self(), true}) {
		t.Errorf("the peer is %+v, want %+v", got, self())
	}
}

func TestThePeersAddressIsNotTakenFromTheRequest(t *testing.T) {
	claimed := netip.MustParseAddrPort("192.0.2.1:1")
	seen := make(chan [2]netip.AddrPort, 1)
	s := start(t, Config{
		ClientAddr: func(*Request) (netip.AddrPort, *RejectError) { return claimed, nil },
		HTTP: http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			addr := PeerAddrFromContext(r.Context())
			seen <- [2]netip.AddrPort{claimed, addr}
		}),
	}, func(s *server) {
		s.accept = func(r *Request) (Accepted, error) {
			seen <- [2]netip.AddrPort{r.RemoteAddr(), r.PeerAddr()}
			return Accepted{Session: s}, nil
		}
	})
	for _, request := range []string{upgradeRequest, "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"} {
		c := s.dialTCP(t)
		c.send([]byte(request))
		want := [2]netip.AddrPort{claimed, netip.MustParseAddrPort(c.LocalAddr().String())}
		if got := testkit.Receive(t, seen); got != want {
			t.Errorf("the addresses are %v, want %v", got, want)
		}
	}
}
