package bridge

import (
	"cmp"
	"container/heap"
	"slices"
	"time"
)

// catchUpPatience is how long a client may wait that has heard more than this
// bridge: another bridge of the same stream was faster.
const catchUpPatience = 5 * time.Second

// waiter is a request that needs something not here yet: a reply that another bridge of
// the stream has delivered already, or the stream's past. It is a task that takes no
// turns while it waits.
type waiter struct {
	hub     *hub
	session *session
	seq     uint64
	do      task // runs then

	subscribes bool   // it is a subscription
	name       string // its id
	calledOff  func() // answers it without do; mu is held

	// The following fields are guarded by hub.mu.
	state waiterState
	turn  uint64 // order of arrival
	place int    // in hub.waiting
	stop  func() bool
}

type waiterState uint8

const (
	asking  waiterState = iota // it has not had a turn
	waiting                    // it is in hub.waiting
	ripe                       // it is queued again
	begun                      // it no longer waits
	over                       // it was called off
)

// step starts waiting, or runs the task.
func (w *waiter) step() (done bool) {
	if !w.begins() {
		return true // done for now: it waits
	}
	return w.do()
}

func (w *waiter) begins() bool {
	h := w.hub
	h.mu.Lock()
	defer h.mu.Unlock()
	switch {
	case w.session.gone || w.session.closed.Load() || w.state == over:
		return false
	case w.state == begun:
		return true
	case w.state == asking && !h.isHere(w.seq):
		h.wait(w)
		return false
	}
	w.state = begun
	w.session.waiting = slices.DeleteFunc(w.session.waiting, func(o *waiter) bool { return o == w })
	return true
}

// isHere reports whether a reply, and the past before it, has arrived. mu is held.
func (h *hub) isHere(seq uint64) bool { return !h.loading && seq <= h.seq }

// wait queues a request again once its reply is here, or after a timeout. mu is held.
func (h *hub) wait(w *waiter) {
	h.waits++
	w.turn, w.state = h.waits, waiting
	heap.Push(&h.waiting, w)
	w.session.waiting = append(w.session.waiting, w)
	w.stop = afterFunc(catchUpPatience, func() {
		h.mu.Lock()
		defer h.mu.Unlock()
		if w.state != waiting {
			return
		}
		if !h.loading {
			h.serve(w)
			return
		}
		w.seq = 0 // the past must be there, however long it takes
		heap.Fix(&h.waiting, w.place)
	})
}

// serveWaiting serves those whose reply has come, in the order in which they came.
// It looks at no others. mu is held.
func (h *hub) serveWaiting() {
	if h.loading {
		return
	}
	var here []*waiter
	for len(h.waiting) > 0 && h.waiting[0].seq <= h.seq {
		w := h.waiting[0]
		h.endWait(w)
		here = append(here, w)
	}
	slices.SortFunc(here, func(a, b *waiter) int { return cmp.Compare(a.turn, b.turn) })
	for _, w := range here {
		h.queue(&w.session.lane, w.step)
	}
}

// serve queues a request again. mu is held.
func (h *hub) serve(w *waiter) {
	h.endWait(w)
	h.queue(&w.session.lane, w.step)
}

func (h *hub) endWait(w *waiter) {
	heap.Remove(&h.waiting, w.place)
	w.stop()
	w.state = ripe
}

// callOff ends the waiting of a client's first subscription with this id, which is
// answered. It is false if there is none. mu is held.
func (h *hub) callOff(s *session, name string) bool {
	at := slices.IndexFunc(s.waiting, func(w *waiter) bool { return w.subscribes && w.name == name })
	if at < 0 {
		return false
	}
	w := s.waiting[at]
	if w.state == waiting {
		h.endWait(w)
	}
	w.state = over
	s.waiting = slices.Delete(s.waiting, at, at+1)
	w.calledOff()
	return true
}

// stopWaiting forgets what a client waits for that is gone. mu is held.
func (h *hub) stopWaiting(s *session) {
	for _, w := range s.waiting {
		if w.state == waiting {
			h.endWait(w)
		}
		w.state = over
	}
	s.waiting = nil
}

// waiters is a heap of waiting requests: the one with the lowest number is first.
type waiters []*waiter

func (q waiters) Len() int { return len(q) }

func (q waiters) Less(i, j int) bool { return q[i].seq < q[j].seq }

func (q waiters) Swap(i, j int) {
	q[i], q[j] = q[j], q[i]
	q[i].place, q[j].place = i, j
}

func (q *waiters) Push(w any) {
	w.(*waiter).place = len(*q)
	*q = append(*q, w.(*waiter))
}

func (q *waiters) Pop() any {
	last := len(*q) - 1
	w := (*q)[last]
	(*q)[last] = nil
	*q = (*q)[:last]
	return w
}
