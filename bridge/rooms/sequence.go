package rooms

import (
	"container/list"
	"sync"
	"time"

	"github.com/clu-ws/clu-ws/bridge/engine"
)

// Message is a message for a room, and what its publisher says about its place among others.
type Message struct {
	Path   string       // of the room
	Format string       // of its source; a dialect takes no other than its own
	Frame  engine.Frame // nil once it is delivered
	// Body is what Frame holds. Whole is the message as it was published, of which a format may take
	// only a part for Frame. Neither may be changed.
	Body, Whole []byte

	// Ordered reports whether the message has an order. It is dropped if one of the same room and
	// OrderKey with a higher order has come.
	Ordered  bool
	Order    int64
	OrderKey string
	// Throttle is the shortest time between two messages of the same room and ThrottleKey. What
	// comes sooner waits for the end of that time, when only the last of it is delivered. 0
	// delivers the message at once.
	Throttle    time.Duration
	ThrottleKey string

	// Seq is its number among all messages for rooms, once it is delivered. Publication is the number
	// of what was published, which may be messages for several rooms.
	Seq, Publication uint64
}

// Bounds of a sequencer.
const (
	maxKeys         = 10_000    // order keys, and throttled keys, of all rooms
	maxPendingBytes = 64 << 20  // messages that wait
	maxThrottle     = time.Hour // longer times count as this
)

// Sequencer drops messages that are out of order, and delays those that come too often. All clients
// of a room get the same.
//
//	Take ──► too old? ──► too soon? ──► deliver
//	                          └──► pending ──► at the end of its window: too old? ──► deliver
//
// It remembers the order of the keys that were used last, and throttles no more keys than its
// bound; messages with further ones are delivered.
type Sequencer struct {
	deliver func(m *Message)
	after   func(time.Duration, func()) (stop func() bool)

	// mu guards the following fields, and is held while messages are delivered, which keeps
	// their order.
	mu      sync.Mutex
	orders  map[roomKey]*list.Element
	recent  list.List // of *orderMark; the one used last is first
	windows map[roomKey]*window
	bytes   int // of pending messages
	closed  bool
	// published is the number of the last publication.
	published uint64
}

// roomKey is an order key or a throttle key of a room.
type roomKey struct{ path, key string }

// orderMark is the highest order of a key.
type orderMark struct {
	roomKey
	order int64
}

// window is a span of time in which no further message of a key is delivered.
type window struct {
	throttle time.Duration
	pending  *Message // the last one that came in it
	stop     func() bool
}

// NewSequencer returns a sequencer that delivers to rooms. after is its clock; nil is
// [time.AfterFunc].
func NewSequencer(deliver func(m *Message), after func(time.Duration, func()) (stop func() bool)) *Sequencer {
	if after == nil {
		after = func(d time.Duration, f func()) func() bool { return time.AfterFunc(d, f).Stop }
	}
	return &Sequencer{deliver: deliver, after: after, orders: map[roomKey]*list.Element{}, windows: map[roomKey]*window{}}
}

// Take takes the next messages, which are one publication. They are delivered without others between
// them.
func (q *Sequencer) Take(messages ...Message) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.published++
	for i := range messages {
		messages[i].Publication = q.published
		q.take(&messages[i])
	}
}

// take takes a message. mu is held.
func (q *Sequencer) take(m *Message) {
	if q.closed || m.Ordered && !q.advance(m) {
		return
	}
	if m.Throttle <= 0 || !q.hold(m) {
		q.deliver(m)
	}
}

// Locked calls a function while no message is delivered. It must not block, nor take messages.
func (q *Sequencer) Locked(f func()) {
	q.mu.Lock()
	defer q.mu.Unlock()
	f()
}

// advance notes the order of a message, and reports whether none of its key is higher. mu is held.
func (q *Sequencer) advance(m *Message) bool {
	key := roomKey{m.Path, m.OrderKey}
	e := q.orders[key]
	if e == nil {
		if len(q.orders) == maxKeys {
			delete(q.orders, q.recent.Remove(q.recent.Back()).(*orderMark).roomKey)
		}
		q.orders[key] = q.recent.PushFront(&orderMark{key, m.Order})
		return true
	}
	q.recent.MoveToFront(e)
	mark := e.Value.(*orderMark)
	if m.Order < mark.order {
		return false
	}
	mark.order = m.Order
	return true
}

// stale reports whether a later message has come since one began to wait. mu is held.
func (q *Sequencer) stale(m *Message) bool {
	e := q.orders[roomKey{m.Path, m.OrderKey}]
	return m.Ordered && e != nil && m.Order < e.Value.(*orderMark).order
}

// hold holds a message back if a window of its key is open. Otherwise it opens one and returns
// false, and the message is delivered. mu is held.
func (q *Sequencer) hold(m *Message) bool {
	key := roomKey{m.Path, m.ThrottleKey}
	w := q.windows[key]
	if w == nil {
		q.open(key, min(m.Throttle, maxThrottle))
		return false
	}
	if w.pending != nil {
		q.bytes -= len(w.pending.Frame)
		w.pending = nil
	}
	if q.bytes+len(m.Frame) > maxPendingBytes {
		return false
	}
	q.bytes += len(m.Frame)
	w.pending, w.throttle = m, min(m.Throttle, maxThrottle)
	return true
}

// open opens a window unless there are too many. mu is held.
func (q *Sequencer) open(key roomKey, throttle time.Duration) {
	if len(q.windows) >= maxKeys {
		return
	}
	w := &window{throttle: throttle}
	q.windows[key] = w
	w.stop = q.after(throttle, func() { q.end(key, w) })
}

// end ends a window. If a message is pending, it is delivered, and another window opens.
func (q *Sequencer) end(key roomKey, w *window) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.closed || q.windows[key] != w {
		return
	}
	delete(q.windows, key)
	m := w.pending
	if m == nil {
		return
	}
	q.bytes -= len(m.Frame)
	if !q.stale(m) {
		q.open(key, w.throttle)
		q.deliver(m)
	}
}

// Close drops the messages that wait, and those that come.
func (q *Sequencer) Close() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.closed = true
	for _, w := range q.windows {
		w.stop()
	}
	clear(q.windows)
}
