package inorder

import "sync"

const (
	// maxWaiting and maxAskedBytes bound the messages of a client that wait for a decision,
	// or behind one.
	maxWaiting = 256
	maxBytes   = 4 << 20
)

// Queue keeps the order of a client's messages: while an application decides about one, the
// later ones wait.
type Queue struct {
	// mu guards the following fields.
	mu      sync.Mutex
	entries []*Entry // oldest first
	bytes   int      // of their messages
	running bool     // the first entry carries on
}

// Entry is a message that waits for its decision, or for the messages before it.
type Entry struct {
	carryOn func() // nil until it is decided
	again   bool   // it was handled when its turn came, and now waits for a decision
	bytes   int
}

// Add adds a message. It returns nil if too much is waiting.
func (q *Queue) Add(bytes int) *Entry {
	q.mu.Lock()
	defer q.mu.Unlock()
	if len(q.entries) >= maxWaiting || len(q.entries) > 0 && q.bytes+bytes > maxBytes {
		return nil
	}
	e := &Entry{bytes: bytes}
	q.entries = append(q.entries, e)
	q.bytes += bytes
	return e
}

// Retain keeps the place of the message that carries on, because it needs a decision.
func (q *Queue) Retain(e *Entry) {
	q.mu.Lock()
	defer q.mu.Unlock()
	e.again = true
}

// Empty reports whether nothing waits, so that a message need not.
func (q *Queue) Empty() bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	return len(q.entries) == 0
}

// Decided lets a message carry on once those before it have.
func (q *Queue) Decided(e *Entry, carryOn func()) {
	q.mu.Lock()
	defer q.mu.Unlock()
	e.carryOn = carryOn
	if q.running {
		return
	}
	q.running = true
	for len(q.entries) > 0 && q.entries[0].carryOn != nil {
		first := q.entries[0]
		next := first.carryOn
		first.carryOn = nil
		q.mu.Unlock()
		next()
		q.mu.Lock()
		if first.again {
			first.again = false
			continue
		}
		q.entries[0] = nil
		q.entries = q.entries[1:]
		q.bytes -= first.bytes
	}
	q.running = false
}
