package bridge

import (
	"cmp"
	"slices"
	"time"
)

// catchUpPatience is how long a client may wait that has heard more than this
// bridge: another bridge of the same stream was faster.
const catchUpPatience = 5 * time.Second

// waiter is a client that asks for what is not here yet: a reply that another bridge
// of the stream was faster to bring, or the stream's past.
type waiter struct {
	session *session
	seq     uint64
	do      func() // called with mu held

	subscribes bool   // it is a subscription
	name       string // its id
	calledOff  func() // answers it without do; mu is held

	turn uint64 // who has a lower one came earlier
	stop func() bool
}

// await has something done, with mu held, once the reply with its number has come,
// or when it is clear that it does not come. mu is held.
func (h *hub) await(w *waiter) {
	if h.ripe(w) {
		w.do()
		return
	}
	h.waits++
	w.turn = h.waits
	h.waiting[w] = struct{}{}
	w.session.waiting = append(w.session.waiting, w)
	w.stop = afterFunc(catchUpPatience, func() {
		h.mu.Lock()
		defer h.mu.Unlock()
		if _, ok := h.waiting[w]; ok && !h.loading {
			h.serve(w)
			return
		}
		w.seq = 0 // the past must be there, however long it takes
	})
}

func (h *hub) ripe(w *waiter) bool { return !h.loading && w.seq <= h.seq }

// serveWaiting serves those whose reply has come, in the order in which they came.
// mu is held.
func (h *hub) serveWaiting() {
	var ripe []*waiter
	for w := range h.waiting {
		if h.ripe(w) {
			ripe = append(ripe, w)
		}
	}
	slices.SortFunc(ripe, func(a, b *waiter) int { return cmp.Compare(a.turn, b.turn) })
	for _, w := range ripe {
		h.serve(w)
	}
}

// serve does what one waits for. mu is held.
func (h *hub) serve(w *waiter) {
	h.endWait(w)
	w.do()
}

func (h *hub) endWait(w *waiter) {
	delete(h.waiting, w)
	w.stop()
	w.session.waiting = slices.DeleteFunc(w.session.waiting, func(o *waiter) bool { return o == w })
}

// callOff ends the waiting of a client's first subscription with this id, which is
// answered. It is false if there is none. mu is held.
func (h *hub) callOff(s *session, name string) bool {
	at := slices.IndexFunc(s.waiting, func(w *waiter) bool { return w.subscribes && w.name == name })
	if at < 0 {
		return false
	}
	w := s.waiting[at]
	h.endWait(w)
	w.calledOff()
	return true
}

// stopWaiting forgets what a client waits for that is gone. mu is held.
func (h *hub) stopWaiting(s *session) {
	for len(s.waiting) > 0 {
		h.endWait(s.waiting[0])
	}
}
