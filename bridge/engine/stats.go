package engine

import (
	"slices"
	"time"
)

// Stats is a snapshot of an engine's gauges and counters.
type Stats struct {
	// Connections is the number of open WebSocket connections.
	Connections int
	// Parked is the number of decisions that run or are queued ([Accepted].Later).
	Parked int
	// SlowCloses counts connections closed because they read too slowly.
	SlowCloses int
	// Skips counts how often a lagging connection continued with newer frames.
	Skips int
	// Rejected counts connections rejected for their number.
	Rejected int
	// Panics counts panics in a [Handler] or a callback of [Config].
	Panics int
	// Outbound is the bytes queued for single connections: see Limits.MaxOutbound.
	Outbound int
	// Inbound is the bytes of incomplete messages: see Limits.MaxInbound.
	Inbound int

	// Delivered counts the text and binary frames written to clients, each per client and
	// once all of it was written.
	Delivered uint64
	// Bytes counts the bytes written to sockets, before TLS: frames with their headers,
	// control frames and the engine's own HTTP responses.
	Bytes uint64
	// Writes counts the calls of write(2). Many frames may share one.
	Writes uint64
	// Received counts the messages from clients.
	Received uint64
	// Accepted counts the upgrades.
	Accepted uint64
	// Mail is the bytes of frames waiting in the loops' mailboxes.
	Mail int
	// Backlog is the bytes of frames that the logs keep for their followers, as of the last
	// tick (every quarter of a second). Each loop counts what it keeps, as for
	// Limits.LogBytes; the frames are in memory once.
	Backlog int
	// Pauses counts how often the process was paused, and Paused is the total time.
	Pauses uint64
	Paused time.Duration
	// Lag is the delay of the loops' ticks.
	Lag Lag
}

// Lag is a histogram of the delay of a loop's ticks, one every quarter of a second: an
// estimate of how long a client waits for the loop. An idle loop is woken for a tick; a
// busy one is late. If it misses further ticks, the first counts.
type Lag struct {
	// Bounds are the upper bounds in seconds of all buckets but the last.
	Bounds [10]float64
	// Counts has the number of ticks in each bucket, not cumulative; the last bucket has no
	// bound.
	Counts [11]uint64
	// Count is the number of ticks, and Sum their total delay in seconds.
	Count uint64
	Sum   float64
}

// Stats returns the current values. It is cheap, and may be called at any time.
func (e *Engine) Stats() Stats {
	st := Stats{
		Connections: int(e.open.Load()),
		Parked:      e.decisions.count(),
		SlowCloses:  int(e.slow.Load()),
		Skips:       int(e.skips.Load()),
		Rejected:    int(e.rejected.Load()),
		Panics:      int(e.panics.Load()),
		Outbound:    int(e.outbound.Load()),
		Inbound:     int(e.inbound.total.Load() + e.handshakeInbound.total.Load()),
		Pauses:      e.pauses.count.Load(),
		Paused:      time.Duration(e.pauses.total.Load()),
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

func (h *Lag) add(t *counters) {
	for i, n := range t.lag {
		h.Counts[i] += n
		h.Count += n
	}
	h.Sum += t.lagSum.Seconds()
}

// counters counts the work of one loop.
type counters struct {
	delivered uint64 // text and binary frames completely written
	bytes     uint64
	writes    uint64
	received  uint64 // messages
	accepted  uint64 // upgrades
	backlog   int    // bytes of frames in logs, as of the last tick

	lag    [11]uint64 // ticks by their delay
	lagSum time.Duration
}

// lagBounds are the upper bounds of a [Lag]'s first buckets.
func lagBounds() [10]time.Duration {
	const ms = time.Millisecond
	return [...]time.Duration{ms, 2 * ms, 5 * ms, 10 * ms, 20 * ms, 50 * ms, 100 * ms, 200 * ms, 500 * ms, time.Second}
}

// recordLag counts one tick.
func (t *counters) recordLag(delay time.Duration) {
	bounds := lagBounds()
	i, _ := slices.BinarySearch(bounds[:], delay)
	t.lag[i]++
	t.lagSum += delay
}

// publishCounters makes the counters as of this turn visible to Stats.
func (l *loop) publishCounters() {
	if l.published != l.counters {
		l.countersMu.Lock()
		l.published = l.counters
		l.countersMu.Unlock()
	}
}
