package bridge

import (
	"fmt"
	"runtime/debug"
	"sync"
)

// workers runs functions that may block, a bounded number at a time. Its goroutines end when
// there is nothing to do.
type workers struct {
	max        int // how many run
	maxWaiting int // how many wait; -1 is any number

	// mu guards the following fields.
	mu      sync.Mutex
	running int
	waiting []func()
}

// do runs a function now or in its turn. It returns false if too many wait.
func (w *workers) do(f func()) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.running < w.max {
		w.running++
		go w.run(f)
		return true
	}
	if w.maxWaiting >= 0 && len(w.waiting) >= w.maxWaiting {
		return false
	}
	w.waiting = append(w.waiting, f)
	return true
}

func (w *workers) run(f func()) {
	for f != nil {
		f()
		f = w.next()
	}
}

// next returns the next function, or nil, with which a worker ends.
func (w *workers) next() func() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.waiting) == 0 {
		w.running--
		w.waiting = nil
		return nil
	}
	f := w.waiting[0]
	w.waiting[0] = nil
	w.waiting = w.waiting[1:]
	return f
}

// guarded calls a function. A panic in it is logged and goes no further.
func (b *Bridge) guarded(where string, do func()) {
	defer func() {
		if cause := recover(); cause != nil {
			b.log.Error("a panic", "in", where, "panic", fmt.Sprint(cause), "stack", string(debug.Stack()))
		}
	}()
	do()
}
