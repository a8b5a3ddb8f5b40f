package engine

import (
	"sync"
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

func (m *mailbox) init(wake func(), r *room) {
	m.wake = wake
	m.sources.gauge, m.reading.gauge = &r.sources, &r.reading
}

// append brings a frame to a ring, by a time since the engine's start, or at once if
// that is 0.
func (m *mailbox) append(r *ring, f Frame, due time.Duration) {
	m.mu.Lock()
	if !m.closed {
		m.bytes += len(f)
		m.frames++
		m.sources.rise(m.cost())
		m.reading.rise(m.cost())
	}
	m.push(mail{ring: r, frame: f, due: due})
}

// post runs a function on the loop, or nowhere once the loop has ended.
func (m *mailbox) post(do func()) {
	m.mu.Lock()
	m.push(mail{do: do})
}

// push is called with mu held and gives it up.
func (m *mailbox) push(ml mail) {
	if m.closed {
		m.mu.Unlock()
		return
	}
	m.queue = append(m.queue, ml)
	if m.sleeping && !m.canWait(ml) {
		m.sleeping = false
		m.wake() // with mu held, so that the loop cannot end and close its poller
	}
	m.mu.Unlock()
}

// canWait reports whether mail may wait until the loop wakes by itself: a frame that is
// not due before, or that nobody follows here, unless there is much. mu is held, and the
// loop sleeps: who follows what does not change meanwhile.
func (m *mailbox) canWait(ml mail) bool {
	if ml.ring == nil || m.bytes >= chunk {
		return false
	}
	return len(ml.ring.members) == 0 || ml.due > 0 && ml.due >= m.until
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
	m.frames -= frames
	m.bytes -= bytes
	m.unlockLower()
}

// cost is about what waits in memory. mu is held.
func (m *mailbox) cost() int { return m.bytes + m.frames*frameCost }

// unlockLower is called with mu held, which it gives up, when less waits.
func (m *mailbox) unlockLower() {
	cost := m.cost()
	source, reading := m.sources.fall(cost), m.reading.fall(cost)
	m.mu.Unlock()
	if source {
		m.sources.relieved()
	}
	if reading {
		m.reading.relieved()
	}
}

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
	m.closed = true
	m.queue, m.bytes, m.frames = nil, 0, 0
	m.unlockLower()
}
