package engine

import (
	"context"
	"sync"
	"sync/atomic"
	"time"
)

// mail is a frame for a ring, or a function to run on the loop.
type mail struct {
	ring  *ring
	frame Frame
	due   time.Duration // when the frame must leave, since the engine's start; 0 for at once
	do    func()
}

// mailbox carries work from other goroutines to a loop, in order.
type mailbox struct {
	wake func() // interrupts the loop's wait

	// mu guards the following fields.
	mu       sync.Mutex
	queue    []mail
	bytes    int // of frames waiting
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

// append adds a frame for a ring, with a due time since the engine's start, 0 for at once.
func (m *mailbox) append(r *ring, f Frame, due time.Duration) {
	m.push(mail{ring: r, frame: f, due: due})
}

// post runs a function on the loop, unless the loop has ended.
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

// add counts waiting frames. It reports whether sources and readers must be released. mu is
// held.
func (m *mailbox) add(frames, bytes int) (sources, reading bool) {
	m.frames += frames
	m.bytes += bytes
	return m.sources.set(m.cost()), m.reading.set(m.cost())
}

// canWait reports whether mail may wait until the loop wakes by itself: frames that are due
// later, or that have no follower here, unless there are many. mu is held, and the loop
// sleeps, so the followers do not change.
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

// processed subtracts frames that have left the mailbox.
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

// cost returns the approximate memory in use. mu is held.
func (m *mailbox) cost() int { return m.bytes + m.frames*frameCost }

// waiting returns the bytes of the waiting frames, and their approximate memory.
func (m *mailbox) waiting() (bytes, cost int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.bytes, m.cost()
}

// sleep records that the loop is about to wait until a time since the engine's start. It
// returns false if there is mail.
func (m *mailbox) sleep(until time.Duration) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.sleeping, m.until = len(m.queue) == 0, until
	return m.sleeping
}

// woken records that the loop is awake and need not be woken.
func (m *mailbox) woken() {
	m.mu.Lock()
	m.sleeping = false
	m.mu.Unlock()
}

// close discards all mail, now and from now on.
func (m *mailbox) close() {
	m.mu.Lock()
	m.closed, m.queue = true, nil
	frames, bytes := m.frames, m.bytes
	m.mu.Unlock()
	m.processed(frames, bytes)
}

// Limits of a loop's mailbox, in bytes of frames plus frameCost for each. A frame counts
// once per log.
const (
	// sourceMailLimit is where [Engine.AwaitCapacity] starts to wait.
	sourceMailLimit = 4 << 20
	// readMailLimit is where the loops stop reading from clients. If a [Handler] appends
	// what it receives, the clients are the source, and wait in their sockets.
	readMailLimit = 4 * sourceMailLimit
	// hardMailLimit is where a loop moves frames into the logs although their followers
	// have not been offered the frames there: from then on LogBytes is the bound.
	hardMailLimit = 8 * sourceMailLimit
)

// gauge counts the mailboxes that exceeded a limit and have not yet fallen to half of it.
type gauge struct {
	limit    int // of a mailbox's cost, in bytes
	above    atomic.Int32
	relieved func() // called without a lock when none is above any more
}

// level is the state of one mailbox on a gauge, guarded by the mailbox's lock.
type level struct {
	*gauge
	raised bool
}

// set updates the level. It reports whether the caller must call relieved once it holds no
// lock, which only a lower cost can require.
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

// capacity limits the mail of all loops.
type capacity struct {
	sources gauge // above it, sources wait
	reading gauge // above it, the loops read nothing

	mu        sync.Mutex
	available chan struct{} // closed when sources need not wait any more; nil if none waits
}

func (r *capacity) init(readOn func()) {
	r.sources = gauge{limit: sourceMailLimit, relieved: r.signal}
	r.reading = gauge{limit: readMailLimit, relieved: readOn}
}

// wait returns a channel that is closed when there is capacity; nil if there is now.
func (r *capacity) wait() <-chan struct{} {
	if r.sources.above.Load() == 0 {
		return nil
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	// A release after the next check will find the channel.
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

// HasCapacity reports whether [Engine.AwaitCapacity] would return at once. It may be called
// from anywhere.
func (e *Engine) HasCapacity() bool { return e.capacity.sources.above.Load() == 0 }

// readsSuspended reports whether the loops have so much to write that they read nothing.
func (e *Engine) readsSuspended() bool { return e.capacity.reading.above.Load() > 0 }

// resumeReads wakes every loop, to continue the reads that it suspended.
func (e *Engine) resumeReads() {
	for _, l := range e.loops {
		l.mail.post(func() {})
	}
}

// AwaitCapacity waits until every loop has at most 4 MiB of frames left to distribute. If
// the context ends first, its error is returned. [Log.Append] never waits, so a source that
// can be faster than the loops calls AwaitCapacity before each frame or batch; that costs
// nothing while there is capacity. It waits only for the loops, never for a client.
//
// It may be called from any goroutine, but not from a [Handler] or a callback of [Config],
// nor with a lock held that one of these takes: the loop would wait for itself. A Handler
// does not need it: while too much waits, the loops read no further messages.
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
