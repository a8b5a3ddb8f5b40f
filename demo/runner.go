package demo

import (
	"context"
	"fmt"
	"sync"
	"time"
)

// repairTime is how long the spectrograph is away after it has failed.
const repairTime = 25 * time.Second

// runner runs the parts of the observatory.
type runner struct {
	cfg             Config
	clock           clock
	running, linked sync.WaitGroup
}

// start runs an actor until the context ends.
func (r *runner) start(ctx context.Context, d device) {
	r.linked.Add(1)
	r.running.Go(func() { d.run(ctx, r.linked.Done) })
}

// run runs an actor until the context ends. linked is called once, when the actor is linked or has
// ended.
func (d device) run(ctx context.Context, linked func()) {
	var running sync.WaitGroup
	defer running.Wait()
	running.Go(func() {
		// Without FailFast a link never gives up, so there is no error.
		_ = d.actor.Run(ctx)
	})
	err := d.actor.Ready(ctx)
	linked()
	if err == nil {
		d.broadcast(ctx)
	}
}

// startSpectrograph runs the spectrograph until the context ends. When it fails, its actor ends, and
// another one begins once it is repaired.
func (r *runner) startSpectrograph(ctx context.Context, cold *cryostat) {
	r.linked.Add(1)
	linked := sync.OnceFunc(r.linked.Done)
	r.running.Go(func() {
		defer linked() // the context may have ended before the first one is made
		for ctx.Err() == nil {
			alive, fail := context.WithCancel(ctx)
			d, err := newSpectrograph(r.cfg, r.clock, cold, fail)
			if err != nil { // cannot be: the other actors have the same configuration
				panic("demo: " + err.Error())
			}
			d.run(alive, linked)
			fail()
			if r.clock.wait(ctx, repairTime) == nil {
				cold.repair()
			}
		}
	})
}

// startNight lets nights pass until the context ends.
func (r *runner) startNight(ctx context.Context, w *weather, cold *cryostat) error {
	n := w.night
	o, err := newObserver(r.cfg, n)
	if err != nil {
		return fmt.Errorf("demo: %w", err)
	}
	r.running.Go(func() { _ = o.client.Run(ctx) }) // without FailFast there is no error
	r.running.Go(func() { o.run(ctx) })
	r.running.Go(func() { n.nature(ctx, w, cold) })
	return nil
}
