package engine

import (
	"bufio"
	"crypto/tls"
	"fmt"
	"net"
	"testing"
	"time"

	"github.com/gobwas/ws"

	"github.com/clu-ws/clu-ws/internal/testkit"
)

// gangSleeper is an engine on goroutines whose clock a test sets forward.
type gangSleeper struct {
	*server
	clock leap
	late  chan lateMessage
	hold  chan struct{} // a message "hold" waits for it
}

func startGangSleeper(t *testing.T) *gangSleeper {
	t.Helper()
	s := &gangSleeper{late: make(chan lateMessage, 10_000), hold: make(chan struct{})}
	s.server = start(t, Config{clock: s.clock.now, Limits: Limits{StallAfter: nap / 2, MessageRate: 1_000_000}}, goroutines, func(server *server) {
		server.message = func(_ Conn, m Message) {
			s.late <- lateMessage{string(m.Payload), m.Stalled > 0}
			if string(m.Payload) == "hold" {
				<-s.hold
			}
		}
	})
	return s
}

func (s *gangSleeper) expect(t *testing.T, text string, stalled bool) {
	t.Helper()
	if got := receive(t, s.late); got != (lateMessage{text, stalled}) {
		t.Fatalf("got %q, stalled %v; want %q, %v", got.text, got.stalled, text, stalled)
	}
}

// overTLS connects by way of TLS, as the sockets of the loops do not.
func (s *gangSleeper) overTLS(t *testing.T) *client {
	t.Helper()
	certificates := testkit.NewCertificates(t)
	pair, err := tls.LoadX509KeyPair(certificates.ServerCert, certificates.ServerKey)
	if err != nil {
		t.Fatal(err)
	}
	ln, err := tls.Listen("tcp", "127.0.0.1:0", &tls.Config{Certificates: []tls.Certificate{pair}})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Listen(ln); err != nil {
		t.Fatal(err)
	}
	conn, err := tls.Dial("tcp", ln.Addr().String(), certificates.ClientConfig(t))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	_ = conn.SetDeadline(time.Now().Add(patience))
	c := &client{t, conn, bufio.NewReader(conn)}
	c.upgrade("/")
	receive(t, s.opened)
	return c
}

// A client that says something every millisecond, so that no read has to wait for long.
func TestOnGoroutinesWhatComesFastAfterAStallIsNotLate(t *testing.T) {
	for name, dial := range map[string]func(*gangSleeper, *testing.T) *client{"plain": func(s *gangSleeper, t *testing.T) *client { return s.dial(t) }, "TLS": (*gangSleeper).overTLS} {
		t.Run(name, func(t *testing.T) {
			s := startGangSleeper(t)
			c := dial(s, t)
			c.send(text("before"))
			s.expect(t, "before", false)
			s.clock.by.Add(int64(nap))
			c.send(text("meanwhile"))
			s.expect(t, "meanwhile", true)
			s.stalls.heartbeat()
			for n := range 1000 {
				c.send(text(fmt.Sprint(n)))
				if got := receive(t, s.late); !got.stalled {
					return
				}
			}
			t.Error("it is late for ever")
		})
	}
}

// What waits is told by what lies in the socket, and above it in TLS; not by how soon
// the goroutine comes to it.
func TestOnGoroutinesWhatWaitedThroughAStallIsLateHoweverLaterItIsRead(t *testing.T) {
	for name, dial := range map[string]func(*gangSleeper, *testing.T) *client{"plain": func(s *gangSleeper, t *testing.T) *client { return s.dial(t) }, "TLS": (*gangSleeper).overTLS} {
		t.Run(name, func(t *testing.T) {
			s := startGangSleeper(t)
			c := dial(s, t)
			c.send(text("hold"))
			s.expect(t, "hold", false)
			const n = 2000 // more than is read at once
			for range n {
				c.send(text("meanwhile"))
			}
			testkit.Eventually(t, patience, "something lies in the socket", func() error {
				for _, p := range s.gangPeers() {
					if n, known := unread(p.socket); !known || n == 0 {
						return fmt.Errorf("%d bytes, known: %v", n, known)
					}
				}
				return nil
			})
			s.clock.by.Add(int64(nap))
			s.stalls.heartbeat()
			s.clock.by.Add(int64(3 * stallMemory)) // its goroutine has not run since
			close(s.hold)
			for range n {
				s.expect(t, "meanwhile", true)
			}
			testkit.Eventually(t, patience, "what is sent afterwards is not late", func() error {
				c.send(text("afterwards"))
				if receive(t, s.late).stalled {
					return fmt.Errorf("it is")
				}
				return nil
			})
		})
	}
}

func TestOnGoroutinesAMessageThatBeganBeforeAStallIsLate(t *testing.T) {
	s := startGangSleeper(t)
	c := s.dial(t)
	whole := text("in two parts")
	c.send(text("before"), whole[:8])
	s.expect(t, "before", false)
	testkit.Eventually(t, patience, "the first part is read", func() error {
		for _, p := range s.gangPeers() {
			if n, _ := unread(p.socket); n > 0 {
				return fmt.Errorf("%d bytes are not", n)
			}
		}
		return nil
	})
	s.clock.by.Add(int64(nap))
	s.stalls.heartbeat()
	s.clock.by.Add(int64(3 * stallMemory))
	c.send(whole[8:])
	s.expect(t, "in two parts", true)
	c.send(text("afterwards"))
	s.expect(t, "afterwards", false)
}

// What waited was no message: the next one did not.
func TestOnGoroutinesAPingThatWaitedThroughAStallMakesNothingLate(t *testing.T) {
	s := startGangSleeper(t)
	c := s.dial(t)
	c.send(text("hold"))
	s.expect(t, "hold", false)
	c.send(ws.MustCompileFrame(ws.MaskFrame(ws.NewPongFrame(nil))))
	testkit.Eventually(t, patience, "it lies in the socket", func() error {
		if n, _ := unread(s.gangPeers()[0].socket); n == 0 {
			return fmt.Errorf("not yet")
		}
		return nil
	})
	s.clock.by.Add(int64(nap))
	s.stalls.heartbeat()
	s.clock.by.Add(int64(3 * stallMemory))
	close(s.hold)
	for range 5 { // behind at least one of them the reader has found the socket empty
		c.send(ws.MustCompileFrame(ws.MaskFrame(ws.NewPingFrame(nil))))
		if _, err := readFrame(c.r); err != nil {
			t.Fatal(err)
		}
	}
	c.send(text("afterwards"))
	s.expect(t, "afterwards", false)
}

func TestWhatWaitsInASocketIsKnownThroughWhatWrapsIt(t *testing.T) {
	ours, theirs := net.Pipe()
	defer ours.Close()
	defer theirs.Close()
	if _, known := unread(ours); known {
		t.Error("a pipe of Go's own tells")
	}
}

func (s *gangSleeper) gangPeers() []*peer {
	s.gang.mu.Lock()
	defer s.gang.mu.Unlock()
	return s.gang.all()
}
