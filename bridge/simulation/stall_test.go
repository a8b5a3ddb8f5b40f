package simulation

import (
	"context"
	"testing"
	"time"

	"github.com/clu-ws/clu-ws/internal/testkit"
)

// What arrives when a stall of the network ends was sent long before. If the connection breaks
// then, all that was sent during the stall may be lost, and the gap must begin before it.
func TestAGapBeginsBeforeAStallThatEndsWithTheConnection(t *testing.T) {
	testkit.Bubble(t, func(t *testing.T) {
		w := newWorld(t, 1, nil)
		w.actors = newActors(w)
		w.actors.join(w.broker)
		ctx, unlink := context.WithCancel(t.Context())
		ended := make(chan struct{})
		go func() {
			defer close(ended)
			_ = w.link.Run(ctx)
		}()
		time.Sleep(5300 * time.Millisecond)
		consuming := w.net.open()[0].down
		consuming.stallUntil(time.Now().Add(600 * time.Millisecond))
		consuming.cutAfter(500) // one reply gets through, and the next does not
		for range 6 {
			w.actors.say("dome", "i", "", "", w.rng)
			time.Sleep(90 * time.Millisecond)
		}
		time.Sleep(5 * time.Second)
		w.actors.stop()
		unlink()
		<-ended
		w.actors.leave()
		_ = w.broker.Close()
		w.running.Wait()
		w.hub.Close()

		w.checkArrivals()
		for _, why := range w.broken() {
			t.Error(why)
		}
		if n := len(w.numbered); n == 0 || n == 6 {
			t.Errorf("%d of 6 replies came; some should, and some should not", n)
		}
	})
}
