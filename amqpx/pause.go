package amqpx

import (
	"sync"
	"time"
)

// A process that was paused (suspended, stopped, without a CPU) reads, when it wakes, what has been in
// the buffers for up to minutes, from a broker that may be gone since. So what is heard after a pause
// proves nothing about the time since the pause began, until the broker has answered a request that
// was made after it.

// pausedAfter is how late a tick of a paused process is.
const pausedAfter = 300 * time.Millisecond

// pauseWatch remembers when the process was paused. Before its first tick it sees no pause.
type pauseWatch struct {
	mu     sync.Mutex // guards the following fields
	period time.Duration
	last   time.Time // the last tick
	pauses []pause   // in order
}

type pause struct{ from, woke time.Time }

// maxPauses bounds what is remembered. When there are more, the last two are joined.
const maxPauses = 16

// pausesFor is how long a pause is remembered: no request to a broker stays open for so long.
const pausesFor = 5 * time.Minute

// tick notes that the process runs. The next tick is due after the period.
func (w *pauseWatch) tick(now time.Time, period time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.note(now)
	w.last, w.period = now, period
}

// note is called with mu held.
func (w *pauseWatch) note(now time.Time) {
	if w.last.IsZero() {
		return
	}
	// The wall clock goes on while the machine is suspended.
	if passed := max(now.Sub(w.last), now.Round(0).Sub(w.last.Round(0))); passed < w.period+pausedAfter {
		return
	}
	for len(w.pauses) > 0 && now.Sub(w.pauses[0].woke) > pausesFor {
		w.pauses = w.pauses[1:]
	}
	if n := len(w.pauses); n == maxPauses {
		w.pauses[n-1].woke = now
	} else {
		w.pauses = append(w.pauses, pause{from: w.last, woke: now})
	}
	w.last = now
}

// since returns when the first pause began that ended after the time given, so that nothing has
// been answered since; zero if there is none.
func (w *pauseWatch) since(now, answered time.Time) time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.note(now)
	for _, s := range w.pauses {
		if s.woke.After(answered) {
			return s.from
		}
	}
	return time.Time{}
}

// pausedSince returns since when what is heard proves nothing, or zero.
func (s *session) pausedSince(now time.Time) time.Time {
	return s.link.pauses.since(now, s.lastVerified())
}

// lastHeard returns when the broker was last heard for certain.
func (s *session) lastHeard() time.Time {
	heard := s.consuming.socket.lastHeard()
	if since := s.pausedSince(time.Now()); !since.IsZero() && since.Before(heard) {
		return since
	}
	return heard
}
