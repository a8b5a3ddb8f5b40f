package engine

import (
	"slices"
	"time"
)

// Stats is how an engine is, for those who watch it.
type Stats struct {
	// Connections is how many WebSocket connections are open now.
	Connections int
	// SlowCloses is how many were closed because they fell off their log.
	SlowCloses int
	// Skips is how often a connection that fell off its log went on without.
	Skips int
	// Rejected is how many connections were turned away for their number.
	Rejected int
	// Panics is how often a [Handler] or a callback of [Config] panicked ever.
	Panics int
	// Outbound is the bytes queued for single connections now: see Limits.MaxOutbound.
	Outbound int
	// Inbound is how many bytes of incomplete messages are held now.
	Inbound int

	// Delivered is how many text and binary frames were written to clients ever:
	// each client's once all of it was written.
	Delivered uint64
	// Bytes is how many bytes were written to sockets ever, before TLS, with
	// everything: frames, their headers, control frames and answers to requests
	// that the engine gave itself.
	Bytes uint64
	// Writes is in how many write(2) these bytes left. Many frames may share one.
	Writes uint64
	// Received is how many messages clients sent ever.
	Received uint64
	// Accepted is how many upgrades there were ever.
	Accepted uint64
	// Mail is how many bytes of frames wait in the loops' mailboxes now.
	Mail int
	// Backlog is how many bytes of frames the logs keep for their followers, as of
	// the last tick (each quarter of a second). Each loop counts what it keeps, as
	// for Limits.LogBytes; the frames themselves are in memory once.
	Backlog int
	// Stalls counts how often the process stood still, and Stalled is the total time.
	Stalls  uint64
	Stalled time.Duration
	// Lag is how late the ticks of the loops came.
	Lag Lag
}

// Lag is a histogram of how late each tick of a loop, each quarter of a second,
// came after the moment when it was due: how long a client may have to wait for
// the loop. A loop that has nothing to do is woken for it; a busy one comes late.
// One that comes so late that it missed further ticks counts the first.
type Lag struct {
	// Bounds are the upper bounds of all buckets but the last, in seconds.
	Bounds [10]float64
	// Counts is how many ticks fell into each bucket; the last has no bound. They
	// are not cumulative.
	Counts [11]uint64
	// Count is how many ticks there were, and Sum their lateness in seconds.
	Count uint64
	Sum   float64
}

// Stats gives the engine's numbers. It is cheap, and may be called at any time.
func (e *Engine) Stats() Stats {
	st := Stats{
		Connections: int(e.open.Load()),
		SlowCloses:  int(e.slow.Load()),
		Skips:       int(e.skips.Load()),
		Rejected:    int(e.rejected.Load()),
		Panics:      int(e.panics.Load()),
		Outbound:    int(e.outbound.Load()),
		Inbound:     int(e.inbound.Load() + e.handshakeBytes.Load()),
		Stalls:      e.stalls.count.Load(),
		Stalled:     time.Duration(e.stalls.total.Load()),
	}
	for i, b := range lagBounds() {
		st.Lag.Bounds[i] = b.Seconds()
	}
	for _, l := range e.loops {
		l.countersMu.Lock()
		did := l.published
		l.countersMu.Unlock()
		st.Delivered += did.delivered
		st.Bytes += did.bytes
		st.Writes += did.writes
		st.Received += did.received
		st.Accepted += did.accepted
		st.Backlog += did.backlog
		mail, _ := l.mail.waiting()
		st.Mail += mail
		st.Lag.add(&did)
	}
	return st
}

// add adds the ticks of a loop.
func (h *Lag) add(t *counters) {
	for i, n := range t.lag {
		h.Counts[i] += n
		h.Count += n
	}
	h.Sum += t.lagSum.Seconds()
}

// counters is what a loop did for its clients, and how it is.
type counters struct {
	delivered uint64 // text and binary frames written, each once all of it is out
	bytes     uint64 // written to sockets
	writes    uint64 // in which they were
	received  uint64 // messages
	accepted  uint64 // upgrades
	backlog   int    // bytes of the frames in logs, as of the last tick

	lag    [11]uint64 // ticks by how late they came
	lagSum time.Duration
}

// lagBounds are the upper bounds of a [Lag]'s first buckets.
func lagBounds() [10]time.Duration {
	const ms = time.Millisecond
	return [...]time.Duration{ms, 2 * ms, 5 * ms, 10 * ms, 20 * ms, 50 * ms, 100 * ms, 200 * ms, 500 * ms, time.Second}
}

// recordLag counts one tick.
func (t *counters) recordLag(late time.Duration) {
	bounds := lagBounds()
	i, _ := slices.BinarySearch(bounds[:], late)
	t.lag[i]++
	t.lagSum += late
}

// publishCounters lets anybody see the tally as of this turn.
func (l *loop) publishCounters() {
	if l.published != l.counters {
		l.countersMu.Lock()
		l.published = l.counters
		l.countersMu.Unlock()
	}
}
