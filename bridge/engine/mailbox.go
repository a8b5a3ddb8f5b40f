package engine

import "sync"

// mailBytes bounds the frames that wait in a loop's mailbox.
const mailBytes = 4 << 20

// mail is a frame for a ring, or something to do on the loop.
type mail struct {
	ring  *ring
	frame Frame
	do    func()
}

// mailbox carries work to a loop from other goroutines, in order.
type mailbox struct {
	wake func() // interrupts the loop's wait

	// mu guards the following fields.
	mu       sync.Mutex
	room     sync.Cond // bytes went down
	queue    []mail
	bytes    int
	sleeping bool // the loop waits, or is about to: it must be woken
	closed   bool
}

func (m *mailbox) init(wake func()) {
	m.wake = wake
	m.room.L = &m.mu
}

// append brings a frame to a ring. It blocks while too many bytes wait.
func (m *mailbox) append(r *ring, f Frame) {
	m.mu.Lock()
	for m.bytes > mailBytes && !m.closed {
		m.room.Wait()
	}
	if !m.closed {
		m.bytes += len(f)
	}
	m.push(mail{ring: r, frame: f})
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
	if m.sleeping {
		m.sleeping = false
		m.wake() // with mu held, so that the loop cannot end and close its poller
	}
	m.mu.Unlock()
}

// take swaps the queue for an empty one.
func (m *mailbox) take(empty []mail) []mail {
	m.mu.Lock()
	defer m.mu.Unlock()
	full := m.queue
	m.queue = empty
	return full
}

// processed makes room for bytes of frames that have left the mail.
func (m *mailbox) processed(bytes int) {
	if bytes == 0 {
		return
	}
	m.mu.Lock()
	m.bytes -= bytes
	m.mu.Unlock()
	m.room.Broadcast()
}

// waiting is how many bytes of frames wait.
func (m *mailbox) waiting() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.bytes
}

// sleep says that the loop is about to wait. It is false when there is mail.
func (m *mailbox) sleep() bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.sleeping = len(m.queue) == 0
	return m.sleeping
}

// woken says that the loop no longer waits, so that nobody needs to wake it.
func (m *mailbox) woken() {
	m.mu.Lock()
	m.sleeping = false
	m.mu.Unlock()
}

// close turns mail away from now on, and frees who waits for room.
func (m *mailbox) close() {
	m.mu.Lock()
	m.closed = true
	m.queue, m.bytes = nil, 0
	m.mu.Unlock()
	m.room.Broadcast()
}
