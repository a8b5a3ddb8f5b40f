package engine

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"github.com/gobwas/ws"

	"github.com/clu-ws/clu-ws/internal/testkit"
)

// pausing is a sink whose quantum is a number of messages.
type pausing struct {
	record
	each, left int
}

func (p *pausing) exhausted() bool { return p.left == 0 }

func (p *pausing) message(op ws.OpCode, payload []byte) bool {
	p.left--
	return p.record.message(op, payload)
}

func TestTheParserFindsTheSameMessagesWhereverATurnEnds(t *testing.T) {
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

func TestInflatedBytesCountTowardsTheRate(t *testing.T) {
	inEveryWay(t, func(t *testing.T, start starter) {
		s := start(Config{Loops: 1, Compress: true, Limits: Limits{MessageRate: 1}})
		c := s.dialDeflate(t)
		began := s.loops[0].coarse()
		c.send(bytes.Repeat(deflated(true, strings.Repeat("x", 1<<20)), 2*burstSeconds)) // more than a burst of others may have
		if reason := c.expectClose(1008); reason != tooManyMessages(1) {
			t.Errorf("closed with %q", reason)
		}
		earned := int(s.now()-began) / int(ticks(second))
		if n := len(s.messages); n < 1 || n > 1+earned {
			t.Errorf("%d messages came through, want one, and at most %d more", n, earned)
		}
	})
}

func TestFragmentsCountTowardsTheRate(t *testing.T) {
	inEveryWay(t, func(t *testing.T, start starter) {
		for name, payload := range map[string]string{"empty": "", "of one byte": "x"} {
			s := start(Config{Limits: Limits{MessageRate: 1}})
			c := s.dial(t)
			c.send(masked(false, ws.OpText, "x"), bytes.Repeat(masked(false, ws.OpContinuation, payload), fragmentsPerMessage*(burstSeconds+5)))
			if reason := c.expectClose(1008); !strings.Contains(reason, "too many messages") {
				t.Errorf("%s: closed with %q", name, reason)
			}
			// A message of a few fragments counts once.
			c = s.dial(t)
			for range burstSeconds - 1 {
				c.send(masked(false, ws.OpText, "a"), masked(false, ws.OpContinuation, "b"), masked(true, ws.OpContinuation, "c"))
				if got := testkit.Receive(t, s.messages); got != "abc" {
					t.Errorf("got %q", got)
				}
			}
		}
	})
}
