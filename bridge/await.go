package bridge

import "time"

// catchUpPatience is how long a client may wait that has heard more than this
// bridge: another bridge of the same stream was faster.
const catchUpPatience = 5 * time.Second

// waiter is a client that resumes behind a reply that has not come here yet.
type waiter struct {
	seq  uint64
	do   func() // called with mu held
	stop func() bool
}

// await calls do, with mu held, once the reply with this number has come, or
// when it is clear that it does not come. mu is held.
func (h *hub) await(seq uint64, do func()) {
	w := &waiter{seq: seq, do: do}
	if h.ripe(w) {
		do()
		return
	}
	h.waiting[w] = struct{}{}
	w.stop = afterFunc(catchUpPatience, func() {
		h.mu.Lock()
		defer h.mu.Unlock()
		if !h.loading {
			h.serve(w)
			return
		}
		w.seq = 0 // the past must be there, however long it takes
	})
}

func (h *hub) ripe(w *waiter) bool { return !h.loading && w.seq <= h.seq }

// serveWaiting calls those whose reply has come. mu is held.
func (h *hub) serveWaiting() {
	for w := range h.waiting {
		if h.ripe(w) {
			h.serve(w)
		}
	}
}

// serve calls one who waits, once. mu is held.
func (h *hub) serve(w *waiter) {
	if _, ok := h.waiting[w]; ok {
		delete(h.waiting, w)
		w.stop()
		w.do()
	}
}
