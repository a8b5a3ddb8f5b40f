package wsclient

import (
	"context"
	"sync"
	"time"
)

const (
	defaultBuffer  = 4096
	maxBufferBytes = 64 << 20
)

// queue holds the events that a program has not read yet.
type queue struct {
	limit    int
	lossless bool
	ready    chan struct{} // has a token if there may be something to read
	room     chan struct{} // has a token if there may be room again

	mu      sync.Mutex // guards the following fields
	events  []Event
	bytes   int
	dropped Dropped // comes before the events
	err     error   // comes after them
}

func newQueue(limit int, lossless bool) *queue {
	if limit <= 0 {
		limit = defaultBuffer
	}
	return &queue{limit: limit, lossless: lossless, ready: make(chan struct{}, 1), room: make(chan struct{}, 1)}
}

// put appends an event. Without lossless, the oldest are left out if there are too many.
func (q *queue) put(e Event) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.err != nil {
		return
	}
	q.events = append(q.events, e)
	q.bytes += sizeOf(e)
	for !q.lossless && q.tooLong() && len(q.events) > 1 {
		q.drop()
	}
	signal(q.ready)
}

func (q *queue) tooLong() bool { return len(q.events) > q.limit || q.bytes > maxBufferBytes }

// drop leaves out the oldest event.
func (q *queue) drop() {
	e := q.events[0]
	q.events[0] = nil
	q.events = q.events[1:]
	q.bytes -= sizeOf(e)
	switch e := e.(type) {
	case *Reply:
		if q.dropped.From.IsZero() {
			q.dropped.From = e.Heard
		}
		q.dropped.To = e.Heard
		q.dropped.Count++
	case Dropped:
		if q.dropped.From.IsZero() {
			q.dropped.From = e.From
		}
		q.dropped.To = e.To
		q.dropped.Count += e.Count
	case marker:
	default:
		q.dropped.Count++
	}
}

// firstHeard returns when the bridge heard the first reply that waits, unless the client missed it without a connection.
func (q *queue) firstHeard() (time.Time, bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for _, e := range q.events {
		if r, ok := e.(*Reply); ok && !r.Late {
			return r.Heard, true
		}
	}
	return time.Time{}, false
}

// full returns a channel that has a token once there may be room for more, or nil if there is room.
func (q *queue) full() <-chan struct{} {
	q.mu.Lock()
	defer q.mu.Unlock()
	if !q.lossless || q.err != nil || !q.tooLong() {
		return nil
	}
	return q.room
}

// end is the last thing that the queue brings.
func (q *queue) end(err error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.err == nil {
		q.err = err
	}
	signal(q.ready)
	signal(q.room)
}

// next waits for the next event.
func (q *queue) next(ctx context.Context) (Event, error) {
	for {
		if e, err := q.take(); e != nil || err != nil {
			return e, err
		}
		select {
		case <-q.ready:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

// take returns the next event, the end, or neither.
func (q *queue) take() (Event, error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.dropped.Count > 0 {
		d := q.dropped
		q.dropped = Dropped{}
		signal(q.ready) // for others that wait
		return d, nil
	}
	if len(q.events) == 0 {
		if q.err != nil {
			signal(q.ready)
		}
		return nil, q.err
	}
	e := q.events[0]
	q.events[0] = nil
	q.events = q.events[1:]
	q.bytes -= sizeOf(e)
	signal(q.ready)
	signal(q.room)
	return e, nil
}

// sizeOf returns about how much memory an event takes.
func sizeOf(e Event) int {
	switch e := e.(type) {
	case *Reply:
		return len(e.Envelope)
	case *Snapshot:
		return e.size
	case Notice:
		return len(e.Raw)
	case RoomMessage:
		return len(e.Data)
	default:
		return 0
	}
}

// signal puts a token into a channel with room for one.
func signal(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}
