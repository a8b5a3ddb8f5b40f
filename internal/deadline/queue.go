package deadline

import (
	"container/heap"
	"sync"
	"time"
)

// Queue calls functions when their time has come. One timer serves all of them.
type Queue struct {
	now   func() time.Time
	after func(time.Duration, func()) (stop func() bool)

	// mu guards the following fields, and the fields of each entry but Due.
	mu     sync.Mutex
	heap   entryHeap
	stop   func() bool // stops the timer; nil if none runs
	fireAt time.Time   // when it fires
	timers uint64      // how many there were; the last one counts
	ended  bool
}

// Entry is the next time at which something has to be done, which is Due.
type Entry struct {
	Due   func()
	at    time.Time
	place int // 1 + its place in the heap; 0 if it is not there
}

// New returns an empty queue with a clock. A nil after is [time.AfterFunc].
func New(now func() time.Time, after func(time.Duration, func()) (stop func() bool)) *Queue {
	if after == nil {
		after = func(d time.Duration, f func()) func() bool { return time.AfterFunc(d, f).Stop }
	}
	return &Queue{now: now, after: after}
}

// Next returns how many entries have a time, and the first of these times.
func (d *Queue) Next() (n int, at time.Time) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if len(d.heap) == 0 {
		return 0, time.Time{}
	}
	return len(d.heap), d.heap[0].at
}

// Set sets the time of an entry, or removes it if the time is zero. Due is called once, on a goroutine
// of its own, and may set the next time.
func (d *Queue) Set(e *Entry, at time.Time) {
	d.mu.Lock()
	defer d.mu.Unlock()
	switch e.at = at; {
	case d.ended || at.IsZero():
		if e.place > 0 {
			heap.Remove(&d.heap, e.place-1)
		}
	case e.place > 0:
		heap.Fix(&d.heap, e.place-1)
	default:
		heap.Push(&d.heap, e)
	}
	d.arm()
}

// End stops the timer. No entry is due after it, except for those that already are.
func (d *Queue) End() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.ended = true
	for _, e := range d.heap {
		e.place = 0
	}
	d.heap = nil
	d.arm()
}

// recheckAfter is how long the timer runs at most. The clock of timers stops while the machine
// is suspended.
const recheckAfter = time.Minute

// arm makes the timer fire at the first deadline, or earlier. mu is held.
func (d *Queue) arm() {
	if d.stop != nil {
		if len(d.heap) > 0 && !d.heap[0].at.Before(d.fireAt) {
			return
		}
		d.stop()
		d.stop = nil
	}
	if len(d.heap) == 0 {
		return
	}
	wait := min(max(0, d.heap[0].at.Sub(d.now())), recheckAfter)
	d.timers++
	this := d.timers
	d.fireAt = d.now().Add(wait)
	d.stop = d.after(wait, func() { d.fire(this) })
}

// fire calls the clients whose deadline has come.
func (d *Queue) fire(timer uint64) {
	d.mu.Lock()
	if timer != d.timers { // it fired while it was being stopped
		d.mu.Unlock()
		return
	}
	d.stop = nil
	var due []func()
	for now := d.now(); len(d.heap) > 0 && !d.heap[0].at.After(now); {
		due = append(due, heap.Pop(&d.heap).(*Entry).Due)
	}
	d.arm()
	d.mu.Unlock()
	for _, call := range due {
		call()
	}
}

// entryHeap is a heap of deadlines, the first at the top.
type entryHeap []*Entry

func (h entryHeap) Len() int           { return len(h) }
func (h entryHeap) Less(i, j int) bool { return h[i].at.Before(h[j].at) }
func (h entryHeap) Swap(i, j int) {
	h[i], h[j] = h[j], h[i]
	h[i].place, h[j].place = i+1, j+1
}

func (h *entryHeap) Push(e any) {
	*h = append(*h, e.(*Entry))
	e.(*Entry).place = len(*h)
}

func (h *entryHeap) Pop() any {
	last := len(*h) - 1
	e := (*h)[last]
	(*h)[last] = nil
	*h = (*h)[:last]
	e.place = 0
	return e
}
