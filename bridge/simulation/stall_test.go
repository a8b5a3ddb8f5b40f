package simulation

import (
	"context"
	"testing"
	"time"

	"github.com/clu-ws/clu-ws/internal/testkit"
)

// Messages that arrive when a stall of the network ends were sent long before. If the
// connection breaks then, everything sent during the stall may be lost, and the gap must begin
// before the stall.
func TestAGapBeginsBeforeAStallThatEndsWithTheConnection(t *testing.T) {
	lost := 0
	for seed := range uint64(20) {
		testkit.Bubble(t, func(t *testing.T) {
			w := newWorld(t, seed, nil)
			w.stallAndBreak(t.Context())
			w.checkLinkEvents()
			for _, why := range w.broken() {
				t.Errorf("seed %d: %s", seed, why)
			}
			if n := len(w.numbered); n > 0 && n < 6 {
				lost++
			}
		})
	}
	if lost < 10 {
		t.Errorf("replies were lost behind others in %d of 20 runs only", lost)
	}
}

// stallAndBreak sends six replies while the network stalls, some of which arrive.
func (w *world) stallAndBreak(ctx context.Context) {
	w.actors = newActors(w)
	w.actors.join(w.broker)
	ctx, unlink := context.WithCancel(ctx)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_ = w.link.Run(ctx)
	}()
	pass(5300 * time.Millisecond)
	consuming := w.net.open()[0].down
	consuming.stallUntil(time.Now().Add(600 * time.Millisecond))
	consuming.cutAfter(900) // a few replies get through
	for range 6 {
		w.actors.say("dome", "i", "", "", w.rng)
		pass(90 * time.Millisecond)
	}
	pass(5 * time.Second)
	w.actors.stop()
	unlink()
	<-ended
	w.actors.leave()
	_ = w.broker.Close()
	w.running.Wait()
	w.hub.Close()
}
