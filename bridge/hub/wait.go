package hub

import (
	"cmp"
	"container/heap"
	"slices"
	"time"
)

// catchUpTimeout is how long a client waits that has heard more than this bridge: another
// bridge of the same stream was faster.
const catchUpTimeout = 5 * time.Second

// waiter is a request that needs what is not here yet: a reply that another bridge of the
// stream has delivered already, or the stream's past. It is a task that takes no turns
// while it waits.
type waiter struct {
	hub     *Hub
	session *Session
	seq     uint64
	run     Task // runs then

	subscribes bool   // it is a subscription
	name       string // its id
	onCancel   func() // answers it if it is cancelled; mu is held

	// The following fields are guarded by Hub.mu.
	state   waiterState
	arrived uint64 // order of arrival
	place   int    // in Hub.waiting
	stop    func() bool
}

type waiterState uint8

const (
	idle      waiterState = iota // it has not had a turn
	waiting                      // it is in Hub.waiting
	ready                        // it is queued again
	running                      // it no longer waits
	cancelled                    // it was answered without do
)

// step starts waiting, or runs the task.
func (w *waiter) step() (done bool) {
	if !w.mayRun() {
		return true // done for now; it waits
	}
	return w.run()
}

func (w *waiter) mayRun() bool {
	h := w.hub
	h.mu.Lock()
	defer h.mu.Unlock()
	switch {
	case w.session.gone || w.session.closed.Load() || w.state == cancelled:
		return false
	case w.state == running:
		return true
	case w.state == idle && !h.hasArrived(w.seq):
		h.waitFor(w)
		return false
	}
	w.state = running
	w.session.waiting = slices.DeleteFunc(w.session.waiting, func(o *waiter) bool { return o == w })
	return true
}

// hasArrived reports whether a reply, and the past before it, has arrived. mu is held.
func (h *Hub) hasArrived(seq uint64) bool { return !h.loading && seq <= h.seq }

// waitFor queues a request again once its reply is here, or after a timeout. mu is held.
func (h *Hub) waitFor(w *waiter) {
	h.lastWait++
	w.arrived, w.state = h.lastWait, waiting
	heap.Push(&h.waiting, w)
	w.session.waiting = append(w.session.waiting, w)
	w.stop = h.after(catchUpTimeout, func() {
		h.mu.Lock()
		defer h.mu.Unlock()
		if w.state != waiting {
			return
		}
		if !h.loading {
			h.requeue(w)
			return
		}
		w.seq = 0 // the past must be there, however long it takes
		heap.Fix(&h.waiting, w.place)
	})
}

// requeueWaiting serves the requests whose reply has come, in the order in which they came. It
// looks at no others. mu is held.
func (h *Hub) requeueWaiting() {
	if h.loading {
		return
	}
	var here []*waiter
	for len(h.waiting) > 0 && h.waiting[0].seq <= h.seq {
		w := h.waiting[0]
		h.endWait(w)
		here = append(here, w)
	}
	slices.SortFunc(here, func(a, b *waiter) int { return cmp.Compare(a.arrived, b.arrived) })
	for _, w := range here {
		h.queue.submitSteps(&w.session.queue, multiTurn, w.step)
	}
}

// requeue queues a request again. mu is held.
func (h *Hub) requeue(w *waiter) {
	h.endWait(w)
	h.queue.submitSteps(&w.session.queue, multiTurn, w.step)
}

func (h *Hub) endWait(w *waiter) {
	heap.Remove(&h.waiting, w.place)
	w.stop()
	w.state = ready
}

// cancelWait cancels a client's first waiting subscription with this id. It is false if there
// is none. mu is held.
func (h *Hub) cancelWait(s *Session, name string) bool {
	at := slices.IndexFunc(s.waiting, func(w *waiter) bool { return w.subscribes && w.name == name })
	if at < 0 {
		return false
	}
	w := s.waiting[at]
	if w.state == waiting {
		h.endWait(w)
	}
	w.state = cancelled
	s.waiting = slices.Delete(s.waiting, at, at+1)
	w.onCancel()
	return true
}

// stopWaiting drops the waiting requests of a client that is gone. mu is held.
func (h *Hub) stopWaiting(s *Session) {
	for _, w := range s.waiting {
		if w.state == waiting {
			h.endWait(w)
		}
		w.state = cancelled
	}
	s.waiting = nil
}

// waiterHeap is a heap of waiting requests: the one with the lowest number is first.
type waiterHeap []*waiter

func (q waiterHeap) Len() int { return len(q) }

func (q waiterHeap) Less(i, j int) bool { return q[i].seq < q[j].seq }

func (q waiterHeap) Swap(i, j int) {
	q[i], q[j] = q[j], q[i]
	q[i].place, q[j].place = i, j
}

func (q *waiterHeap) Push(w any) {
	w.(*waiter).place = len(*q)
	*q = append(*q, w.(*waiter))
}

func (q *waiterHeap) Pop() any {
	last := len(*q) - 1
	w := (*q)[last]
	(*q)[last] = nil
	*q = (*q)[:last]
	return w
}
