//go:build unix

package engine

import (
	"bytes"
	"net"
	"strings"
	"sync"
	"testing"

	"github.com/gobwas/ws"
	"golang.org/x/sys/unix"

	"github.com/clu-ws/clu-ws/internal/testkit"
)

// greedy starts an engine on one loop, lets a client send messages, and returns how many of
// them were delivered before one that another client sent after the first.
func greedy(t *testing.T, start starter, cfg Config, dial func(*server) *client, n int, messages ...[]byte) (before int) {
	t.Helper()
	cfg.Loops = 1
	first, proceed := make(chan struct{}), make(chan struct{})
	order := make(chan string, 2*n)
	var once sync.Once
	s := start(cfg, func(s *server) {
		s.message = func(_ Conn, m Message) {
			once.Do(func() {
				close(first)
				<-proceed
			})
			order <- string(m.Payload[:min(6, len(m.Payload))])
		}
	})
	honest, busy := s.dialTCP(t), dial(s)
	honest.upgrade("/")
	s.mute.Store(true)
	busy.send(messages...)
	testkit.Await(t, first)
	honest.send(text("honest"))
	s.awaitArrival(t, honest)
	close(proceed)
	for got := range n + 1 {
		if testkit.Receive(t, order) == "honest" {
			return got
		}
	}
	t.Fatal("the honest client was not served")
	return 0
}

// awaitArrival waits until the server's socket has what a client has sent, which it may have only after the client's
// write. The loop must be held up meanwhile.
func (s *server) awaitArrival(t *testing.T, c *client) {
	t.Helper()
	port := c.LocalAddr().(*net.TCPAddr).Port
	testkit.WaitUntil(t, "the bytes are in the server's socket", func() (arrived bool) {
		s.loops[0].conns.each(func(to *conn) {
			peer, err := unix.Getpeername(int(to.fd))
			if addr, ok := peer.(*unix.SockaddrInet4); err == nil && ok && addr.Port == port {
				n, err := unreadBytes(int(to.fd))
				arrived = err == nil && n > 0
			}
		})
		return arrived
	})
}

func TestOneClientsCompressedMessagesDelayNoOther(t *testing.T) {
	onPollers(t, func(t *testing.T, start starter) {
		big := deflated(true, strings.Repeat("x", 1<<20))
		var all []byte
		for range 50 {
			all = append(all, big...)
		}
		if len(all) > readSize {
			t.Fatalf("%d bytes are more than one read", len(all))
		}
		n := greedy(t, start, Config{Compress: true}, func(s *server) *client { return s.dialDeflate(t) }, 50, all)
		if n > 2 {
			t.Errorf("%d megabytes were inflated before another client's message was read", n)
		}
	})
}

func TestOneClientsManyMessagesDelayNoOther(t *testing.T) {
	onPollers(t, func(t *testing.T, start starter) {
		const n = 2000
		all := bytes.Repeat(text("small"), n)
		got := greedy(t, start, Config{Limits: Limits{MessageRate: n}}, func(s *server) *client {
			c := s.dialTCP(t)
			c.upgrade("/")
			return c
		}, n, all)
		if most := 2 * clientQuantum / messageCost; got > most {
			t.Errorf("%d messages were delivered before another client's, more than %d", got, most)
		}
	})
}

func TestInputLeftOfATurnIsReadBeforeTheEndOfTheConnection(t *testing.T) {
	onPollers(t, func(t *testing.T, start starter) {
		const n = 500
		s := start(Config{Loops: 1})
		c := s.dial(t)
		c.send(bytes.Repeat(text("m"), n), closing(1000))
		c.Conn.(*net.TCPConn).CloseWrite()
		for range n {
			testkit.Receive(t, s.messages)
		}
		testkit.Receive(t, s.closed).check(t, 1000)
		if held := s.Stats().Inbound; held != 0 {
			t.Errorf("%d bytes are held yet", held)
		}
	})
}

// A few reads' worth of them once delayed other clients by a sixth of a second.
func TestOneClientsEmptyFragmentsDelayNoOther(t *testing.T) {
	onPollers(t, func(t *testing.T, start starter) {
		const messages, fragments = 200, 8 * fragmentsPerMessage
		one := join(masked(false, ws.OpText, "small"), bytes.Repeat(masked(false, ws.OpContinuation, ""), fragments), masked(true, ws.OpContinuation, ""))
		got := greedy(t, start, Config{Limits: Limits{MessageRate: 10 * messages}}, func(s *server) *client {
			c := s.dialTCP(t)
			c.upgrade("/")
			return c
		}, messages, bytes.Repeat(one, messages))
		if most := 2 * clientQuantum / messageCost / 8; got > most {
			t.Errorf("%d messages of %d fragments were delivered before another client's, more than %d", got, fragments, most)
		}
	})
}

// 256 of them were once decided in one turn, and a frame waited for up to 50 ms.
func TestManyRequestsAtOnceDelayNoFrame(t *testing.T) {
	onPollers(t, func(t *testing.T, start starter) {
		const n = 10 * requestsPerTurn
		decided, before := 0, 0
		s := start(Config{Loops: 1}, func(s *server) {
			s.accept = func(*Request) (Accepted, error) {
				if decided++; decided == 1 {
					s.log.Append(Text("a reply"))
				}
				if s.log.rings[0].head == 0 {
					before++
				}
				return Accepted{Session: s}, nil
			}
		})
		clients := make([]*client, n)
		for i := range clients {
			clients[i] = s.dialTCP(t)
		}
		proceed := make(chan struct{})
		s.loops[0].mail.post(func() { <-proceed })
		for _, c := range clients {
			c.send([]byte(upgradeRequest))
		}
		close(proceed)
		for range n {
			testkit.Receive(t, s.opened)
		}
		s.loops[0].do(func() {
			if most := 2 * requestsPerTurn; before > most {
				t.Errorf("%d requests were decided before the frame of the first, more than %d", before, most)
			}
		})
	})
}

// Its request may have come in time.
func TestARequestThatWaitsForOthersDoesNotTimeOut(t *testing.T) {
	l := &loop{}
	if !l.inputUnread(&conn{state: stateHead, readQueued: true}) {
		t.Error("the deadline of a request applies although others are decided first")
	}
}

// Two thousand clients with a log each, all with new frames, once delayed other clients
// until all of these were written to.
func TestASweepOfManyLogsIsDividedIntoTurns(t *testing.T) {
	l := &loop{}
	rings := make([]*ring, 4*maxSweepVisits)
	for i := range rings {
		r := &ring{limit: 1 << 20}
		r.add(&conn{blocked: true}, 0)
		r.push(Text("news"))
		l.markDirty(r)
		rings[i] = r
	}
	swept := func() (n int) {
		for _, r := range rings {
			if !r.dirty {
				n++
			}
		}
		return n
	}
	for turn := 1; len(l.dirty) > 0; turn++ {
		before := swept()
		l.sweep()
		if n := swept() - before; n == 0 || n > maxSweepVisits {
			t.Fatalf("in turn %d %d logs were delivered", turn, n)
		}
		if turn > 20 {
			t.Fatal("it does not end")
		}
	}
	if n := swept(); n != len(rings) {
		t.Errorf("%d of %d logs were delivered", n, len(rings))
	}
}
