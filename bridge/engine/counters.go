package engine

import (
	"sync/atomic"
	"time"
)

// tally is what was done for clients.
type tally struct {
	delivered uint64 // text and binary frames written, each once all of it is out
	bytes     uint64 // written to sockets
	writes    uint64 // in which they were
	received  uint64 // messages
	accepted  uint64 // upgrades
}

// counters are the figures of a shard that anybody may read. They share no cache
// line with anything else, so that reading them slows nobody.
type counters struct {
	_         [64]byte
	delivered atomic.Uint64
	bytes     atomic.Uint64
	writes    atomic.Uint64
	received  atomic.Uint64
	accepted  atomic.Uint64
	backlog   atomic.Int64 // bytes of the frames in logs, as of the last tick
	lag       lagCounters
	_         [64]byte
}

// publish brings what one goroutine counted by itself up to date.
func (n *counters) publish(now tally, last *tally) {
	tell := func(counter *atomic.Uint64, now, last uint64) {
		if now != last {
			counter.Store(now)
		}
	}
	tell(&n.delivered, now.delivered, last.delivered)
	tell(&n.bytes, now.bytes, last.bytes)
	tell(&n.writes, now.writes, last.writes)
	tell(&n.received, now.received, last.received)
	tell(&n.accepted, now.accepted, last.accepted)
	*last = now
}

// lagBounds are the upper bounds of a [Lag]'s first buckets.
func lagBounds() [10]time.Duration {
	const ms = time.Millisecond
	return [...]time.Duration{ms, 2 * ms, 5 * ms, 10 * ms, 20 * ms, 50 * ms, 100 * ms, 200 * ms, 500 * ms, time.Second}
}

// lagCounters count how late ticks came.
type lagCounters struct {
	buckets [11]atomic.Uint64
	sum     atomic.Int64 // nanoseconds
}

// note counts one tick.
func (l *lagCounters) note(late time.Duration) {
	bounds := lagBounds()
	i := 0
	for i < len(bounds) && late > bounds[i] {
		i++
	}
	l.buckets[i].Add(1)
	l.sum.Add(int64(late))
}

// addTo adds what was counted to a histogram.
func (l *lagCounters) addTo(h *Lag) {
	for i := range l.buckets {
		n := l.buckets[i].Load()
		h.Counts[i] += n
		h.Count += n
	}
	h.Sum += time.Duration(l.sum.Load()).Seconds()
}

// isData tells a text or binary frame from a control frame (RFC 6455, 5.5).
func (f Frame) isData() bool { return len(f) > 0 && f[0]&8 == 0 }
