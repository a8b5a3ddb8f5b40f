package actor

import (
	"context"
	"errors"
	"sync"

	"github.com/clu-ws/clu-ws/amqpx"
)

// gate lets callers wait until the link is up.
type gate struct {
	// mu guards the following fields.
	mu      sync.Mutex
	up      bool
	ended   bool
	changed chan struct{} // closed and renewed at each change
}

func newGate() *gate { return &gate{changed: make(chan struct{})} }

// follow takes the link's changes of state, and passes them on.
func (g *gate) follow(next func(amqpx.State)) func(amqpx.State) {
	return func(s amqpx.State) {
		g.set(s.Up)
		if next != nil {
			next(s)
		}
	}
}

func (g *gate) set(up bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.up = up
	close(g.changed)
	g.changed = make(chan struct{})
}

// end tells those who wait that the link will not come up any more.
func (g *gate) end() {
	g.mu.Lock()
	g.ended = true
	g.mu.Unlock()
	g.set(false)
}

func (g *gate) wait(ctx context.Context) error {
	for {
		g.mu.Lock()
		up, ended, changed := g.up, g.ended, g.changed
		g.mu.Unlock()
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
