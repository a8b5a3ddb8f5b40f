package hub

import (
	"cmp"
	"container/heap"
	"slices"
	"time"
)

// catchUpTimeout is how long a request waits for a reply that the client has already, because
// another bridge of the same stream was faster.
const catchUpTimeout = 5 * time.Second

// waiter is a request that needs something this bridge does not have yet: a reply that another
// bridge of the stream has already delivered, or the stream's past. It is a task that takes no
// turns while it waits.
type waiter struct {
	hub     *Hub
	session *Session
	seq     uint64 // the reply that it waits for
	run     Task   // what it does then

	subscribes bool   // it is a subscribe request, which can be cancelled
	name       string // the subscription's
	onCancel   func() // answers a cancelled request; mu is held

	// The following fields are guarded by Hub.mu.
	state waiterState
	order uint64 // the order in which requests began to wait
	place int    // in Hub.waiting
	stop  func() bool
}

type waiterState uint8

const (
	idle      waiterState = iota // it has not had a turn
	waiting                      // it is in Hub.waiting
	ready                        // it is queued again
	running                      // it no longer waits
	cancelled                    // it was answered without being run
)

// step starts waiting, or runs the task.
func (w *waiter) step() (done bool) {
	if !w.mayRun() {
		return true // it waits, and is queued again later
	}
	return w.run()
}

// mayRun reports whether the request runs now. Otherwise it waits or is done.
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

// hasArrived reports whether this bridge has a reply and the past before it. mu is held.
func (h *Hub) hasArrived(seq uint64) bool { return !h.loading && seq <= h.seq }

// waitFor queues a request again once its reply has arrived, or after a timeout. mu is
// held.
func (h *Hub) waitFor(w *waiter) {
	h.lastWait++
	w.order, w.state = h.lastWait, waiting
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
		w.seq = 0 // it still needs the past, however long that takes
		heap.Fix(&h.waiting, w.place)
	})
}

// requeueWaiting requeues the requests whose reply has arrived, in the order in which they
// began to wait. It looks at no others. mu is held.
func (h *Hub) requeueWaiting() {
	if h.loading {
		return
	}
	var arrived []*waiter
	for len(h.waiting) > 0 && h.waiting[0].seq <= h.seq {
		w := h.waiting[0]
		h.endWait(w)
		arrived = append(arrived, w)
	}
	slices.SortFunc(arrived, func(a, b *waiter) int { return cmp.Compare(a.order, b.order) })
	for _, w := range arrived {
		h.queue.submitSteps(&w.session.queue, multiTurn, w.step)
	}
}

// requeue queues a request again. mu is held.
func (h *Hub) requeue(w *waiter) {
	h.endWait(w)
	h.queue.submitSteps(&w.session.queue, multiTurn, w.step)
}

// endWait takes a request out of the heap. mu is held.
func (h *Hub) endWait(w *waiter) {
	heap.Remove(&h.waiting, w.place)
	w.stop()
	w.state = ready
}

// cancelWait cancels a client's first waiting subscribe request with this id. It returns false
// if there is none. mu is held.
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

// stopWaiting drops the waiting requests of a client that has disconnected. mu is held.
func (h *Hub) stopWaiting(s *Session) {
	for _, w := range s.waiting {
		if w.state == waiting {
			h.endWait(w)
		}
		w.state = cancelled
	}
	s.waiting = nil
}

// waiterHeap is a heap of waiting requests; the one that waits for the lowest number is first.
// So a reply costs nothing for requests that wait for later ones.
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
