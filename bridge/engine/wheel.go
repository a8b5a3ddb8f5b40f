package engine

import "time"

// tickLength is the length of a tick of the coarse clock.
const tickLength = 250 * time.Millisecond

const second = time.Second

// tick counts the steps of a loop's coarse clock. It wraps after decades.
type tick uint32

// ticks is a duration in ticks, rounded up.
func ticks(d time.Duration) tick { return tick((d + tickLength - 1) / tickLength) }

// before compares ticks across a wrap.
func (t tick) before(u tick) bool { return int32(t-u) < 0 }

// wheelSlots is the wheel's horizon in ticks; what is due later goes around.
const wheelSlots = 256

// wheel is a timing wheel over slots of the slab: no timer, no allocation and
// no heap for each connection. Each connection has one live entry.
type wheel struct {
	now   tick
	slots [wheelSlots][]connRef
	spare []connRef
}

// schedule makes the wheel look at a connection when it is due, or before.
func (w *wheel) schedule(c *conn, due tick) {
	if !w.now.before(due) {
		due = w.now + 1
	}
	c.due = due
	if c.entry != 0 && !due.before(c.entry) {
		return // the entry there is comes first, and will be moved on
	}
	w.insert(c)
}

func (w *wheel) insert(c *conn) {
	at := c.due
	if at-w.now >= wheelSlots {
		at = w.now + wheelSlots - 1
	}
	if at == 0 {
		at = 1 // zero says that there is no entry
	}
	c.entry = at
	s := &w.slots[at%wheelSlots]
	*s = append(*s, c.ref())
}

// advance moves the clock on to now and hands over the connections that are due.
func (w *wheel) advance(now tick, lookup func(connRef) *conn, due func(*conn)) {
	for w.now != now {
		w.now++
		s := &w.slots[w.now%wheelSlots]
		entries := *s
		*s = w.spare[:0]
		for _, e := range entries {
			c := lookup(e)
			if c == nil || c.entry != w.now {
				continue // gone, or an entry that a sooner one replaced
			}
			c.entry = 0
			if w.now.before(c.due) {
				w.insert(c)
				continue
			}
			due(c)
		}
		w.spare = entries[:0]
	}
}
