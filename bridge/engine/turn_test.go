package engine

import (
	"bytes"
	"fmt"
	"net"
	"strings"
	"sync"
	"testing"

	"github.com/gobwas/ws"
)

// pausing is a sink whose turns end after so many messages.
type pausing struct {
	record
	each, left int
}

func (p *pausing) pause() bool { return p.left == 0 }

func (p *pausing) message(op ws.OpCode, payload []byte) bool {
	p.left--
	return p.record.message(op, payload)
}

func TestParserFindsTheSameMessagesWhereverATurnEnds(t *testing.T) {
	stream := join(
		text("a"), text(""), masked(true, ws.OpPing, "p"), masked(false, ws.OpText, "b"), masked(true, ws.OpContinuation, "c"),
		text(strings.Repeat("long ", 50)), text("d"), text("e"),
	)
	_, want, _ := parse(1000, stream)
	for each := 1; each <= 3; each++ {
		for _, size := range []int{1, 7, len(stream)} {
			p, to := new(parser), &pausing{each: each}
			for _, piece := range pieces(bytes.Clone(stream), size) {
				for turn := true; turn || p.rest.pending(); turn = false {
					to.left = each
					if p.rest.pending() {
						piece = p.rest.left
					}
					rest, err := p.feed(piece, 1000, to)
					if err != nil {
						t.Fatal(err)
					}
					p.rest.keep(rest)
				}
			}
			if fmt.Sprint(to.lines) != fmt.Sprint(want) || !p.idle() {
				t.Errorf("%d messages a turn, pieces of %d: got %v, want %v", each, size, to.lines, want)
			}
		}
	}
}

func pieces(b []byte, size int) (all [][]byte) {
	for len(b) > 0 {
		n := min(size, len(b))
		all, b = append(all, b[:n]), b[n:]
	}
	return all
}

// greedy starts an engine on one loop, has a client send messages, and tells how many
// of them were handed over before one that another client sent behind the first.
func greedy(t *testing.T, cfg Config, dial func(*server) *client, n int, messages ...[]byte) (before int) {
	t.Helper()
	cfg.Loops = 1
	first, proceed := make(chan struct{}), make(chan struct{})
	order := make(chan string, 2*n)
	var once sync.Once
	s := start(t, cfg, func(s *server) {
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
	receive(t, first)
	honest.send(text("honest"))
	close(proceed)
	for got := range n + 1 {
		if receive(t, order) == "honest" {
			return got
		}
	}
	t.Fatal("the honest client was not served")
	return 0
}

func TestOneClientsCompressedMessagesHoldNobodyUp(t *testing.T) {
	big := deflated(true, strings.Repeat("x", 1<<20))
	var all []byte
	for range 50 {
		all = append(all, big...)
	}
	if len(all) > readSize {
		t.Fatalf("%d bytes are more than one read", len(all))
	}
	n := greedy(t, Config{Compress: true}, func(s *server) *client { return s.dialDeflate(t) }, 50, all)
	if n > 2 {
		t.Errorf("%d megabytes were inflated before another client's message was read", n)
	}
}

func TestOneClientsManyMessagesHoldNobodyUp(t *testing.T) {
	const n = 2000
	all := bytes.Repeat(text("small"), n)
	got := greedy(t, Config{Limits: Limits{MessageRate: n}}, func(s *server) *client {
		c := s.dialTCP(t)
		c.upgrade("/")
		return c
	}, n, all)
	if most := 2 * clientWork / messageWork; got > most {
		t.Errorf("%d messages were handed over before another client's, more than %d", got, most)
	}
}

func TestWhatIsInflatedCountsInTheRate(t *testing.T) {
	onBoth(t, func(t *testing.T, start starter) {
		s := start(Config{Compress: true, Limits: Limits{MessageRate: 1}})
		c := s.dialDeflate(t)
		big := deflated(true, strings.Repeat("x", 1<<20))
		c.send(big, big)
		c.expectClose(1008)
		if len(s.messages) != 1 {
			t.Errorf("%d messages came through", len(s.messages))
		}
	})
}

func TestFragmentsCountInTheRate(t *testing.T) {
	onBoth(t, func(t *testing.T, start starter) {
		for name, payload := range map[string]string{"empty": "", "of one byte": "x"} {
			s := start(Config{Limits: Limits{MessageRate: 1}})
			c := s.dial(t)
			c.send(masked(false, ws.OpText, "x"), bytes.Repeat(masked(false, ws.OpContinuation, payload), fragmentsPerMessage*(burst+5)))
			if reason := c.expectClose(1008); !strings.Contains(reason, "too many messages") {
				t.Errorf("%s: closed with %q", name, reason)
			}
			// A message of a few fragments is one message.
			c = s.dial(t)
			for range burst - 1 {
				c.send(masked(false, ws.OpText, "a"), masked(false, ws.OpContinuation, "b"), masked(true, ws.OpContinuation, "c"))
				if got := receive(t, s.messages); got != "abc" {
					t.Errorf("got %q", got)
				}
			}
		}
	})
}

func TestWhatIsLeftOfATurnIsReadBeforeTheEndOfTheConnection(t *testing.T) {
	const n = 500
	s := start(t, Config{Loops: 1})
	c := s.dial(t)
	c.send(bytes.Repeat(text("m"), n), closing(1000))
	c.Conn.(*net.TCPConn).CloseWrite()
	for range n {
		receive(t, s.messages)
	}
	receive(t, s.closed).check(t, 1000)
	if held := s.Stats().Held; held != 0 {
		t.Errorf("%d bytes are held yet", held)
	}
}
