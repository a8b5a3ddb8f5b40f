package demo

import (
	"context"
	"sync"
)

// task is an operation of which a device can do one at a time: a slew, an exposure.
type task struct {
	// mu guards the following fields.
	mu     sync.Mutex
	cancel context.CancelCauseFunc // nil if none is under way
	ended  chan struct{}           // of the one under way
}

// begin starts an operation, unless one is under way. Its context ends when it is
// stopped, with the reason as cause. The caller must call end.
func (t *task) begin(ctx context.Context) (_ context.Context, end func(), ok bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.cancel != nil {
		return nil, nil, false
	}
	ctx, cancel := context.WithCancelCause(ctx)
	ended := make(chan struct{})
	t.cancel, t.ended = cancel, ended
	return ctx, func() {
		cancel(nil)
		t.mu.Lock()
		t.cancel = nil
		t.mu.Unlock()
		close(ended)
	}, true
}

// stop stops the operation under way with a reason, and waits until it has ended. It
// reports whether there was one.
func (t *task) stop(reason error) bool {
	t.mu.Lock()
	cancel, ended := t.cancel, t.ended
	t.mu.Unlock()
	if cancel == nil {
		return false
	}
	cancel(reason)
	<-ended
	return true
}
