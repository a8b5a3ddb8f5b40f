package actor

import (
	"context"
	"errors"
	"sync"

	"github.com/clu-ws/clu-ws/amqpx"
)

// readiness is the state of a link, for callers that wait until it is up.
type readiness struct {
	// mu guards the following fields.
	mu      sync.Mutex
	up      bool
	ended   bool
	changed chan struct{} // closed and renewed at each change
}

func newReadiness() *readiness { return &readiness{changed: make(chan struct{})} }

// observe returns the link's OnState function: it records the state, and passes it
// on to next, which may be nil.
func (r *readiness) observe(next func(amqpx.State)) func(amqpx.State) {
	return func(s amqpx.State) {
		r.set(s.Up)
		if next != nil {
			next(s)
		}
	}
}

func (r *readiness) set(up bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.up = up
	close(r.changed)
	r.changed = make(chan struct{})
}

// close fails every wait: the link has ended.
func (r *readiness) close() {
	r.mu.Lock()
	r.ended = true
	r.mu.Unlock()
	r.set(false)
}

// wait waits until the link is up.
func (r *readiness) wait(ctx context.Context) error {
	for {
		r.mu.Lock()
		up, ended, changed := r.up, r.ended, r.changed
		r.mu.Unlock()
		switch {
		case up:
			return nil
		case ended:
			return errors.New("actor: the link to the broker was closed")
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-changed:
		}
	}
}
