package engine

import (
	"context"
	"sync"
	"sync/atomic"
	"time"
)

// mail is a frame for a ring, or something to do on the loop.
type mail struct {
	ring  *ring
	frame Frame
	due   time.Duration // when the frame must leave, since the engine's start; 0 for at once
	do    func()
}

// mailbox carries work to a loop from other goroutines, in order.
type mailbox struct {
	wake func() // interrupts the loop's wait

	// mu guards the following fields.
	mu       sync.Mutex
	queue    []mail
	bytes    int // of frames
	frames   int
	sources  level         // whether sources wait for this loop
	reading  level         // whether the loops read nothing because of it
	sleeping bool          // the loop waits, or is about to: it must be woken
	until    time.Duration // when it wakes by itself, since the engine's start
	closed   bool
}

func (m *mailbox) init(wake func(), r *capacity) {
	m.wake = wake
	m.sources.gauge, m.reading.gauge = &r.sources, &r.reading
}

// append brings a frame to a ring, by a time since the engine's start, or at once if
// that is 0.
func (m *mailbox) append(r *ring, f Frame, due time.Duration) {
	m.push(mail{ring: r, frame: f, due: due})
}

// post runs a function on the loop, or nowhere once the loop has ended.
func (m *mailbox) post(do func()) { m.push(mail{do: do}) }

func (m *mailbox) push(ml mail) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.closed {
		return
	}
	if ml.ring != nil {
		m.add(1, len(ml.frame))
	}
	m.queue = append(m.queue, ml)
	if m.sleeping && !m.canWait(ml) {
		m.sleeping = false
		m.wake() // with mu held, so that the loop cannot end and close its poller
	}
}

// add counts frames that wait. It reports whether sources, and whether the reading of the
// loops, are to be relieved. mu is held.
func (m *mailbox) add(frames, bytes int) (sources, reading bool) {
	m.frames += frames
	m.bytes += bytes
	return m.sources.set(m.cost()), m.reading.set(m.cost())
}

// canWait reports whether mail may wait until the loop wakes by itself: a frame that is
// not due before, or that nobody follows here, unless there is much. mu is held, and the
// loop sleeps: who follows what does not change meanwhile.
func (m *mailbox) canWait(ml mail) bool {
	if ml.ring == nil || m.bytes >= chunkSize {
		return false
	}
	return len(ml.ring.followers) == 0 || ml.due > 0 && ml.due >= m.until
}

// take swaps the queue for an empty one.
func (m *mailbox) take(empty []mail) []mail {
	m.mu.Lock()
	defer m.mu.Unlock()
	full := m.queue
	m.queue = empty
	return full
}

// processed makes room for frames that have left the mail.
func (m *mailbox) processed(frames, bytes int) {
	if frames == 0 {
		return
	}
	m.mu.Lock()
	sources, reading := m.add(-frames, -bytes)
	m.mu.Unlock()
	if sources {
		m.sources.relieved()
	}
	if reading {
		m.reading.relieved()
	}
}

// cost is about what waits in memory. mu is held.
func (m *mailbox) cost() int { return m.bytes + m.frames*frameCost }

// waiting is how many bytes of frames wait, and about what they cost.
func (m *mailbox) waiting() (bytes, cost int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.bytes, m.cost()
}

// sleep says that the loop is about to wait until a time since the engine's start. It is
// false when there is mail.
func (m *mailbox) sleep(until time.Duration) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.sleeping, m.until = len(m.queue) == 0, until
	return m.sleeping
}

// woken says that the loop no longer waits, so that nobody needs to wake it.
func (m *mailbox) woken() {
	m.mu.Lock()
	m.sleeping = false
	m.mu.Unlock()
}

// close turns mail away from now on. Nobody waits for this loop any more.
func (m *mailbox) close() {
	m.mu.Lock()
	m.closed, m.queue = true, nil
	frames, bytes := m.frames, m.bytes
	m.mu.Unlock()
	m.processed(frames, bytes)
}

// What waits in the mail of a loop, in bytes of frames and frameCost for each, is counted
// once for each log that a frame was appended to.
const (
	// sourceMailLimit is what a source that calls [Engine.AwaitCapacity] leaves waiting.
	sourceMailLimit = 4 << 20
	// readMailLimit is where the loops stop reading from clients. Where a [Handler]
	// appends what it is told, the clients are the source, and wait in their sockets.
	readMailLimit = 4 * sourceMailLimit
	// hardMailLimit is where a loop takes what waits into the logs although their followers
	// have not been offered what is there: from then on LogBytes is the bound.
	hardMailLimit = 8 * sourceMailLimit
)

// gauge counts the mailboxes that are above a bound, until they are down to half of it.
type gauge struct {
	limit    int // of what frames cost, in bytes
	above    atomic.Int32
	relieved func() // called, without a lock, when none is above any more
}

// level is where one mailbox stands on a gauge. The mailbox's lock guards it.
type level struct {
	*gauge
	raised bool
}

// set notes how much waits. It reports whether the caller must call relieved, once it
// holds no lock; only less can do that.
func (v *level) set(cost int) (relieved bool) {
	switch {
	case !v.raised && cost > v.limit:
		v.raised = true
		v.above.Add(1)
	case v.raised && cost <= v.limit/2:
		v.raised = false
		return v.above.Add(-1) == 0
	}
	return false
}

// capacity is what bounds the mail of all loops.
type capacity struct {
	sources gauge // above it, sources wait
	reading gauge // above it, the loops read nothing

	mu        sync.Mutex
	available chan struct{} // closed when sources need not wait any more; nil if none does
}

func (r *capacity) init(readOn func()) {
	r.sources = gauge{limit: sourceMailLimit, relieved: r.signal}
	r.reading = gauge{limit: readMailLimit, relieved: readOn}
}

// wait returns a channel that is closed when there is room; nil if there is some now.
func (r *capacity) wait() <-chan struct{} {
	if r.sources.above.Load() == 0 {
		return nil
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	// Whoever relieves the gauge after this look finds the channel.
	if r.available == nil {
		r.available = make(chan struct{})
	}
	if r.sources.above.Load() == 0 {
		return nil
	}
	return r.available
}

func (r *capacity) signal() {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.available != nil {
		close(r.available)
		r.available = nil
	}
}

// HasCapacity reports whether [Engine.AwaitCapacity] would return at once. It may be called from
// anywhere.
func (e *Engine) HasCapacity() bool { return e.capacity.sources.above.Load() == 0 }

// readsSuspended reports whether the loops have so much to bring to clients that they
// read nothing from them.
func (e *Engine) readsSuspended() bool { return e.capacity.reading.above.Load() > 0 }

// resumeReads has every loop look at the connections that it did not read from.
func (e *Engine) resumeReads() {
	for _, l := range e.loops {
		l.mail.post(func() {})
	}
}

// AwaitCapacity waits until no loop has more than its share of frames to distribute, 4 MiB,
// or the context ends, whose error it returns then. [Log.Append] never waits, so a
// source that can be faster than the loops calls AwaitCapacity before each frame, or each
// batch, that it appends; that costs nothing while there is room. It waits for the
// work of the loops only, never for a client.
//
// It may be called from any goroutine, but not from a [Handler] or a callback of
// [Config], nor with a lock that one of these takes: the loop would wait for itself. A
// Handler needs no AwaitCapacity: while too much waits, the loops read no further messages.
func (e *Engine) AwaitCapacity(ctx context.Context) error {
	for free := e.capacity.wait(); free != nil; free = e.capacity.wait() {
		select {
		case <-free:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return nil
}
