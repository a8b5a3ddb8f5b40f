package access

import (
	"context"
	"errors"
	"runtime"
	"sync/atomic"
)

// errBusy is returned when too many callers wait for a slot.
var errBusy = errors.New("too many clients wait to be identified")

// slots bounds how many decisions are made at the same time, and how many callers wait for their
// turn, in the order of their arrival. A decision is made on its caller's goroutine.
type slots struct {
	taken   chan struct{}
	room    int64        // for those who wait
	waiting atomic.Int64 // callers that wait
	busy    atomic.Int64
	peak    atomic.Int64 // the most that were busy at the same time
}

func newSlots(n, room int) *slots {
	return &slots{taken: make(chan struct{}, n), room: int64(room)}
}

// take waits for a slot, which must be given back. It fails if too many wait, or the context
// ends.
func (w *slots) take(ctx context.Context) error {
	select {
	case w.taken <- struct{}{}:
	default:
		if err := w.wait(ctx); err != nil {
			return err
		}
	}
	for busy := w.busy.Add(1); ; {
		peak := w.peak.Load()
		if busy <= peak || w.peak.CompareAndSwap(peak, busy) {
			return nil
		}
	}
}

func (w *slots) wait(ctx context.Context) error {
	defer w.waiting.Add(-1)
	if w.waiting.Add(1) > w.room {
		return errBusy
	}
	select {
	case w.taken <- struct{}{}:
		// Those that compute one after another would share one time slice, 10 ms long, and
		// the loops would wait for its end.
		runtime.Gosched()
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (w *slots) give() {
	w.busy.Add(-1)
	<-w.taken
}

// aside gives a slot back while something is waited for that takes none, and takes one again.
func (w *slots) aside(wait func() error) error {
	w.give()
	err := wait()
	w.taken <- struct{}{} // even if the result is no longer wanted: the caller gives it back
	w.busy.Add(1)
	return err
}
