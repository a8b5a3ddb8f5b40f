package access

import (
	"context"
	"errors"
	"sync/atomic"
)

// errBusy is returned when too many callers wait for a worker.
var errBusy = errors.New("too many clients wait to be identified")

// workers bounds how many decisions are made at the same time, and how many callers wait for their
// turn, in the order of their arrival. A worker is the goroutine of its caller.
type workers struct {
	slots   chan struct{}
	room    int64        // for callers that wait
	waiting atomic.Int64 // callers that wait
	busy    atomic.Int64
	peak    atomic.Int64 // the most that were busy at the same time
}

func newWorkers(n, room int) *workers {
	return &workers{slots: make(chan struct{}, n), room: int64(room)}
}

// take waits for a worker, which must be given back. It fails if too many wait, or the context
// ends.
func (w *workers) take(ctx context.Context) error {
	select {
	case w.slots <- struct{}{}:
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

func (w *workers) wait(ctx context.Context) error {
	defer w.waiting.Add(-1)
	if w.waiting.Add(1) > w.room {
		return errBusy
	}
	select {
	case w.slots <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (w *workers) give() {
	w.busy.Add(-1)
	<-w.slots
}

// aside gives a worker back while something is waited for that takes none, and takes one again.
func (w *workers) aside(wait func() error) error {
	w.give()
	err := wait()
	w.slots <- struct{}{} // even if the result is no longer wanted: the caller gives it back
	w.busy.Add(1)
	return err
}
