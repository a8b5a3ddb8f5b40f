package amqpx

import (
	"sync"
	"time"
)

// A process that stalled (suspended, stopped, without a CPU) reads, when it wakes, what has been in
// the buffers for up to minutes, from a broker that may be gone since. So what is heard after a stall
// proves nothing about the time since the stall began, until the broker has answered a request that
// was made after it.

// stalledAfter is how late a tick of a stalled process is.
const stalledAfter = 300 * time.Millisecond

// stallWatch remembers when the process stalled. Before its first tick it sees no stall.
type stallWatch struct {
	mu     sync.Mutex // guards the following fields
	period time.Duration
	last   time.Time // the last tick
	stalls []stall   // in order
}

type stall struct{ from, woke time.Time }

// maxStalls bounds what is remembered. When there are more, the last two are joined.
const maxStalls = 16

// stallsFor is how long a stall is remembered: no request to a broker stays open for so long.
const stallsFor = 5 * time.Minute

// tick notes that the process runs. The next tick is due after the period.
func (w *stallWatch) tick(now time.Time, period time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.note(now)
	w.last, w.period = now, period
}

// note is called with mu held.
func (w *stallWatch) note(now time.Time) {
	if w.last.IsZero() {
		return
	}
	// The wall clock goes on while the machine is suspended.
	if passed := max(now.Sub(w.last), now.Round(0).Sub(w.last.Round(0))); passed < w.period+stalledAfter {
		return
	}
	for len(w.stalls) > 0 && now.Sub(w.stalls[0].woke) > stallsFor {
		w.stalls = w.stalls[1:]
	}
	if n := len(w.stalls); n == maxStalls {
		w.stalls[n-1].woke = now
	} else {
		w.stalls = append(w.stalls, stall{from: w.last, woke: now})
	}
	w.last = now
}

// since returns when the first stall began that ended after the time given, so that nothing has
// been answered since; zero if there is none.
func (w *stallWatch) since(now, answered time.Time) time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.note(now)
	for _, s := range w.stalls {
		if s.woke.After(answered) {
			return s.from
		}
	}
	return time.Time{}
}

// stalledSince returns since when what is heard proves nothing, or zero.
func (s *session) stalledSince(now time.Time) time.Time {
	return s.link.stalls.since(now, s.lastVerified())
}

// lastHeard returns when the broker was last heard for certain.
func (s *session) lastHeard() time.Time {
	heard := s.consuming.socket.lastHeard()
	if since := s.stalledSince(time.Now()); !since.IsZero() && since.Before(heard) {
		return since
	}
	return heard
}
