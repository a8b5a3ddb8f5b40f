//go:build unix

package engine

import (
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/netip"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/clu-ws/clu-ws/internal/testkit"
)

// onServerName runs do in a callback of crypto/tls when a client asks for that name.
func onServerName(name string, do func()) func(*server) {
	return func(s *server) {
		s.tls = s.tls.Clone()
		s.tls.GetConfigForClient = func(hello *tls.ClientHelloInfo) (*tls.Config, error) {
			if hello.ServerName == name {
				do()
			}
			return nil, nil
		}
	}
}

func TestAHandshakeMayFailAndPanic(t *testing.T) {
	onPollersOverTLS(t, func(t *testing.T, start starter) {
		s := start(Config{}, onServerName("panic", func() { panic("a callback does") }))
		for name, cfg := range map[string]*tls.Config{
			"an old version": {InsecureSkipVerify: true, MinVersion: tls.VersionTLS10, MaxVersion: tls.VersionTLS11},
			"a panic":        {InsecureSkipVerify: true, ServerName: "panic"},
			"no ALPN":        {InsecureSkipVerify: true, NextProtos: []string{"h2"}},
		} {
			err := tls.Client(s.dialRaw(t).Conn, cfg).Handshake()
			if err == nil || name != "a panic" && !strings.Contains(err.Error(), "remote error: tls:") {
				t.Errorf("%s: the client gets %v", name, err)
			}
		}
		s.dial(t)
	})
}

// A callback that ends its goroutine must release the handshake.
func TestACallbackMayEndItsGoroutine(t *testing.T) {
	onPollersOverTLS(t, func(t *testing.T, start starter) {
		s := start(Config{}, onServerName("goexit", runtime.Goexit))
		for range runtime.GOMAXPROCS(0) {
			if err := tls.Client(s.dialRaw(t).Conn, &tls.Config{InsecureSkipVerify: true, ServerName: "goexit"}).Handshake(); err == nil {
				t.Error("it succeeds")
			}
		}
		s.dial(t)
	})
}

func TestASilentHandshakeIsEvictedAndEndsWithTheEngine(t *testing.T) {
	onPollersOverTLS(t, func(t *testing.T, start starter) {
		s := start(Config{Limits: Limits{MaxConnections: 1}})
		silent := s.dialHalfway(t)
		s.dial(t)
		if _, err := io.Copy(io.Discard, silent.r); err != nil {
			t.Error(err)
		}
		second := start(Config{})
		second.dialHalfway(t)
		if err := second.Shutdown(t.Context(), "enough"); err != nil {
			t.Error(err)
		}
	})
}

func TestASlowHandshakeIsEvicted(t *testing.T) {
	onPollersOverTLS(t, func(t *testing.T, start starter) {
		s := start(Config{Limits: Limits{HeadTimeout: time.Minute}})
		s.handshakes.max.Store(1)
		trickler := s.dialHalfway(t)
		var trickling sync.WaitGroup
		defer trickling.Wait()
		done := make(chan struct{})
		defer close(done)
		trickling.Go(func() {
			every := time.NewTicker(100 * time.Millisecond)
			defer every.Stop()
			for _, b := range append([]byte{23, 3, 3, 1, 0}, make([]byte, 250)...) {
				select {
				case <-every.C:
				case <-done:
					return
				}
				if _, err := trickler.Write([]byte{b}); err != nil {
					return
				}
			}
		})
		if err := tls.Client(s.dialRaw(t).Conn, clientTLS).Handshake(); err != nil {
			t.Error(err)
		}
	})
}

// dialHalfway sends a ClientHello and reads the server's response: a handshake that waits
// for its client.
func (s *server) dialHalfway(t *testing.T) *client {
	t.Helper()
	c := s.dialRaw(t)
	c.send(helloOf(t))
	if _, err := c.r.Peek(1); err != nil {
		t.Fatal(err)
	}
	return c
}

// handshakesWait waits until n handshakes are queued.
func (s *server) handshakesWait(t *testing.T, n int32) {
	t.Helper()
	testkit.Eventually(t, testkit.Patience, "handshakes are queued", func() error {
		if waiting := s.handshakes.waiting.Load(); waiting != n {
			return fmt.Errorf("%d of %d do", waiting, n)
		}
		return nil
	})
}

// helloOf returns a ClientHello.
func helloOf(t *testing.T) []byte {
	t.Helper()
	ours, theirs := net.Pipe()
	defer ours.Close()
	go func() {
		_ = tls.Client(theirs, clientTLS).Handshake()
		theirs.Close()
	}()
	hello := make([]byte, 4096)
	n, err := ours.Read(hello)
	if err != nil {
		t.Fatal(err)
	}
	return hello[:n]
}

func TestManySilentHandshakesLockNoClientOut(t *testing.T) {
	onPollersOverTLS(t, func(t *testing.T, start starter) {
		s := start(Config{Limits: Limits{HeadTimeout: testkit.Patience}})
		s.handshakes.max.Store(20)
		hello := helloOf(t)
		for i := range 2000 {
			silent, err := net.Dial("tcp", s.addr)
			if err != nil {
				t.Fatal(err)
			}
			defer silent.Close()
			switch piece := hello; i % 40 {
			case 0: // 50 send a ClientHello and nothing more, and 20 may run
				_, err = silent.Write(piece)
			case 1, 2, 3:
				_, err = silent.Write(piece[:i%len(piece)])
			}
			if err != nil {
				t.Fatal(err)
			}
		}
		c := s.dial(t)
		s.log.Append(Text("hello"))
		c.expect("hello")
	})
}

// Input after a ClientHello waits with it, and is bounded for all clients together.
func TestInputAheadOfAHandshakeIsBounded(t *testing.T) {
	onPollersOverTLS(t, func(t *testing.T, start starter) {
		const most = 100_000
		rejected := make(chan string, 1000)
		s := start(Config{Limits: Limits{MaxInbound: most}, Rejected: func(r *RejectError, _ netip.AddrPort) { rejected <- r.Reason }})
		s.handshakes.max.Store(0)
		hello := append(helloOf(t), make([]byte, 50_000)...)
		for range 100 {
			_, _ = s.dialRaw(t).Write(hello) // it may be rejected before everything is written
		}
		if got := testkit.Receive(t, rejected); got != reasonInboundFull {
			t.Errorf("one is rejected because %s", got)
		}
		if n := s.Stats().Inbound; n > most+2*readSize {
			t.Errorf("%d bytes are held", n)
		}
	})
}

// holdHandshake returns a client whose handshake is active and waits for a processor, until released. One that waited
// for its client would be evicted.
func (s *server) holdHandshake(t *testing.T) (holder *client, release func()) {
	t.Helper()
	release = s.handshakes.hold()
	holder = s.dialRaw(t)
	holder.send(helloOf(t))
	s.handshakes.expectCounts(t, 1, 0)
	return holder, release
}

func TestQueuedHandshakesAreServed(t *testing.T) {
	onPollersOverTLS(t, func(t *testing.T, start starter) {
		s := start(Config{Limits: Limits{HeadTimeout: testkit.Patience}})
		s.handshakes.max.Store(1)
		holder, release := s.holdHandshake(t)
		done := make(chan error)
		for range 2 {
			conn := tls.Client(s.dialRaw(t).Conn, clientTLS)
			go func() { done <- conn.Handshake() }()
		}
		s.handshakesWait(t, 2)
		holder.Close()
		release()
		for range 2 {
			if err := testkit.Receive(t, done); err != nil {
				t.Error(err)
			}
		}
	})
}

func TestAQueuedHandshakeHoldsOnlyItsHello(t *testing.T) {
	onPollersOverTLS(t, func(t *testing.T, start starter) {
		s := start(Config{Limits: Limits{HeadTimeout: testkit.Patience}})
		s.handshakes.max.Store(1)
		_, release := s.holdHandshake(t)
		defer release()
		c := s.dialRaw(t)
		c.send(helloOf(t), make([]byte, 60<<10))
		s.handshakesWait(t, 1)
		s.handshakes.mu.Lock()
		defer s.handshakes.mu.Unlock()
		if n := len(s.handshakes.queue.Front().Value.(*handshake).input.data); n > 2*maxHelloSize {
			t.Errorf("it holds %d bytes", n)
		}
	})
}
