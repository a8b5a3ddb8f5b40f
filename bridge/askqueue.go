package bridge

import "sync"

const (
	// maxAskedWaiting and maxAskedBytes bound the messages of a client that wait for a decision,
	// or behind one.
	maxAskedWaiting = 256
	maxAskedBytes   = 4 << 20
)

// askQueue keeps the order of a client's messages: while an application decides about one, the
// later ones wait.
type askQueue struct {
	// mu guards the following fields.
	mu      sync.Mutex
	entries []*askEntry // oldest first
	bytes   int         // of their messages
	running bool        // the first entry carries on
}

// askEntry is a message that waits for its decision, or for the messages before it.
type askEntry struct {
	carryOn func() // nil until it is decided
	again   bool   // it was handled when its turn came, and now waits for a decision
	bytes   int
}

// add adds a message. It returns nil if too much is waiting.
func (q *askQueue) add(bytes int) *askEntry {
	q.mu.Lock()
	defer q.mu.Unlock()
	if len(q.entries) >= maxAskedWaiting || len(q.entries) > 0 && q.bytes+bytes > maxAskedBytes {
		return nil
	}
	e := &askEntry{bytes: bytes}
	q.entries = append(q.entries, e)
	q.bytes += bytes
	return e
}

// retain keeps the place of the message that carries on, because it needs a decision.
func (q *askQueue) retain(e *askEntry) {
	q.mu.Lock()
	defer q.mu.Unlock()
	e.again = true
}

// empty reports whether nothing waits, so that a message need not.
func (q *askQueue) empty() bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	return len(q.entries) == 0
}

// decided lets a message carry on once those before it have.
func (q *askQueue) decided(e *askEntry, carryOn func()) {
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
