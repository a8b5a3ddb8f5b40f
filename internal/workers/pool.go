package workers

import (
	"sync"
)

// Pool runs functions that may block, a bounded number at a time. Its goroutines end when
// there is nothing to do.
type Pool struct {
	Max        int // how many run
	MaxWaiting int // how many wait; -1 is any number

	// mu guards the following fields.
	mu      sync.Mutex
	running int
	waiting []func()
}

// Do runs a function now or in its turn. It returns false if too many wait.
func (w *Pool) Do(f func()) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.running < w.Max {
		w.running++
		go w.run(f)
		return true
	}
	if w.MaxWaiting >= 0 && len(w.waiting) >= w.MaxWaiting {
		return false
	}
	w.waiting = append(w.waiting, f)
	return true
}

// Running returns how many functions run.
func (w *Pool) Running() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.running
}

func (w *Pool) run(f func()) {
	for f != nil {
		f()
		f = w.next()
	}
}

// next returns the next function, or nil, with which a worker ends.
func (w *Pool) next() func() {
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
