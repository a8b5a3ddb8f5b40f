package engine

import "time"

// tickLength is the length of a tick of the coarse clock.
const tickLength = 250 * time.Millisecond

const second = time.Second

// tick counts the steps of a loop's coarse clock. It wraps after decades.
type tick uint32

// ticks converts a duration to ticks, rounded up.
func ticks(d time.Duration) tick { return tick((d + tickLength - 1) / tickLength) }

// before compares ticks across a wrap.
func (t tick) before(u tick) bool { return int32(t-u) < 0 }

// wheelSlots is the wheel's horizon in ticks; later deadlines go around more than once. A
// connection stores its slot in eight bits.
const wheelSlots = 256

// wheel is a timing wheel over a loop's connections. Each slot is a list linked through the
// connections themselves: no connection has a timer, and nothing is allocated.
type wheel struct {
	now   tick
	conns *slab
	slots [wheelSlots]int32 // the newest connection of each, as its slab slot plus one; 0 is none
	steps tick              // this many slots up to now are being visited; 0 is none
}

// schedule makes the wheel visit a connection at its deadline or before.
func (w *wheel) schedule(c *conn, due tick) {
	if !w.now.before(due) {
		due = w.now + 1
	}
	c.deadline = due
	if c.timed {
		if left := tick(c.timer - uint8(w.now)); left <= due-w.now {
			return // the wheel visits it before, and then moves it on
		}
		w.remove(c)
	}
	w.insert(c)
}

func (w *wheel) insert(c *conn) {
	// The slots being visited get no new connections.
	c.timed, c.timer = true, uint8(w.now+min(c.deadline-w.now, wheelSlots-max(1, w.steps)))
	first := &w.slots[c.timer]
	c.newer, c.older = 0, *first
	if c.older != 0 {
		w.conns.at(c.older - 1).newer = c.slot + 1
	}
	*first = c.slot + 1
}

// remove removes a connection from the wheel.
func (w *wheel) remove(c *conn) {
	if !c.timed {
		return
	}
	c.timed = false
	if c.newer == 0 {
		w.slots[c.timer] = c.older
	} else {
		w.conns.at(c.newer - 1).older = c.older
	}
	if c.older != 0 {
		w.conns.at(c.older - 1).newer = c.newer
	}
}

// advance sets the clock to now and visits the connections that are due. The time is now
// for all of them: after a pause, a ping that was due long ago gets as much time for its
// answer as any other. A jump by a whole turn of the wheel leaves one slot for the next
// tick.
func (w *wheel) advance(now tick, due func(*conn)) {
	w.now, w.steps = now, min(now-w.now, wheelSlots-1)
	for at := now - w.steps; at != now; {
		at++
		for first := &w.slots[uint8(at)]; *first != 0; {
			c := w.conns.at(*first - 1)
			w.remove(c)
			if now.before(c.deadline) {
				w.insert(c)
			} else {
				due(c)
			}
		}
	}
	w.steps = 0
}
