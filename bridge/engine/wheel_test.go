package engine

import (
	"math/rand/v2"
	"testing"
)

// wheelOf returns a wheel with n connections, at a tick.
func wheelOf(n int, now tick) (*wheel, []*conn) {
	all := new(slab)
	conns := make([]*conn, n)
	for i := range conns {
		conns[i] = all.alloc()
	}
	return &wheel{now: now, conns: all}, conns
}

// Across the wrap of the clock, too: a wheel of 256 slots, with deadlines several rounds
// away, is compared with a list.
func TestTheWheelVisitsEachConnectionWhenItIsDue(t *testing.T) {
	const ticks = 5000
	w, conns := wheelOf(50, ^tick(0)-ticks/2)
	due := map[*conn]tick{} // those in the wheel
	schedule := func(c *conn) {
		at := w.now + tick(rand.N(3*wheelSlots))
		w.schedule(c, at)
		if due[c] = at; at == w.now {
			due[c]++ // this tick is over
		}
	}
	for range ticks {
		for range rand.N(8) {
			if c := conns[rand.N(len(conns))]; rand.N(4) > 0 {
				schedule(c)
			} else {
				w.remove(c)
				delete(due, c)
			}
		}
		w.advance(w.now+1, func(c *conn) {
			if at, in := due[c]; !in || at != w.now {
				t.Fatalf("tick %d: connection %d came, due at %d (%t)", w.now, c.slot, at, in)
			}
			delete(due, c)
			if rand.N(2) > 0 {
				schedule(c)
			}
			if other := conns[rand.N(len(conns))]; rand.N(8) == 0 {
				w.remove(other) // it ended together with this one
				delete(due, other)
			}
		})
		for c, at := range due {
			if !w.now.before(at) {
				t.Fatalf("tick %d: connection %d was due at %d", w.now, c.slot, at)
			}
		}
	}
}

// The process may be paused for any time. What was due meanwhile is due now, and a
// connection's next deadline counts from now: a ping sent after a pause is not overdue at
// once.
func TestAfterAJumpTheWheelVisitsDueConnectionsOnce(t *testing.T) {
	w, conns := wheelOf(50, ^tick(0)-100_000)
	due := map[*conn]tick{}
	for _, c := range conns {
		due[c] = w.now + 1 + tick(rand.N(3*wheelSlots))
		w.schedule(c, due[c])
	}
	for range 2000 {
		jump := 1 + tick(rand.N(2*wheelSlots))
		from, now, came := w.now, w.now+jump, map[*conn]bool{}
		for w.now != now+1 { // the tick after the jump visits what is left
			next := now
			if w.now == now {
				next++
			}
			w.advance(next, func(c *conn) {
				if w.now != next || next.before(due[c]) || came[c] {
					t.Fatalf("from %d to %d: connection %d came at %d, due at %d", from, next, c.slot, w.now, due[c])
				}
				came[c] = true
				due[c] = w.now + 2 + tick(rand.N(3*wheelSlots))
				w.schedule(c, due[c])
			})
		}
		for c, at := range due {
			if !w.now.before(at) {
				t.Fatalf("from %d to %d: connection %d was due at %d", from, w.now, c.slot, at)
			}
		}
	}
}

func TestTheWheelDoesNotAllocate(t *testing.T) {
	w, conns := wheelOf(1000, 1)
	if n := testing.AllocsPerRun(100, func() {
		for _, c := range conns {
			w.schedule(c, w.now+10)
		}
		w.advance(w.now+10, func(*conn) {})
	}); n > 0 {
		t.Errorf("a thousand connections in one tick take %v allocations", n)
	}
}
