package wsclient

import "sync"

// hooks calls the program's functions, one at a time and in order, without a lock of the client.
type hooks struct {
	mu      sync.Mutex // guards the following fields
	waiting []func()
	running bool
	ended   bool
}

// add calls a function after those before it. A goroutine exists only while there is something to call.
func (h *hooks) add(f func()) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.ended {
		return
	}
	h.waiting = append(h.waiting, f)
	if !h.running {
		h.running = true
		go h.run()
	}
}

func (h *hooks) run() {
	for {
		h.mu.Lock()
		if len(h.waiting) == 0 {
			h.running = false
			h.mu.Unlock()
			return
		}
		f := h.waiting[0]
		h.waiting = h.waiting[1:]
		h.mu.Unlock()
		f()
	}
}

// finish takes no more functions. Those that wait are still called.
func (h *hooks) finish() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.ended = true
}
