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
	loseBehindOthers(t, 6, 10, (*world).stallAndBreak)
}

// loseBehindOthers runs a scenario of so many replies with 20 seeds, and checks what the link reports. In enough of
// the runs some replies must arrive and others be lost.
func loseBehindOthers(t *testing.T, replies, enough int, scenario func(w *world, consuming *pipe)) {
	t.Helper()
	lost := 0
	for seed := range uint64(20) {
		testkit.Bubble(t, func(t *testing.T) {
			w := newWorld(t, seed, nil)
			w.whileLinked(t.Context(), func(consuming *pipe) { scenario(w, consuming) })
			w.checkLinkEvents()
			for _, why := range w.broken() {
				t.Errorf("seed %d: %s", seed, why)
			}
			if n := len(w.numbered); n > 0 && n < replies {
				lost++
			}
		})
	}
	if lost < enough {
		t.Errorf("replies were lost after others in only %d of 20 runs", lost)
	}
}

// stallAndBreak has six replies sent while the network stalls, of which some arrive.
func (w *world) stallAndBreak(consuming *pipe) {
	consuming.down.stallUntil(time.Now().Add(600 * time.Millisecond))
	consuming.down.cutAfter(900) // a few replies get through
	for range 6 {
		w.actors.say("dome", "i", "", "", w.rng)
		pass(90 * time.Millisecond)
	}
}

// A receiver that is slow uses up the prefetch, and the broker holds what follows. If the network then holds up
// the acknowledgements, the broker still holds it when the receiver has taken all that came.
func TestAGapBeginsBeforeWhatTheBrokerHeldForWantOfAcknowledgements(t *testing.T) {
	loseBehindOthers(t, 12, 3, (*world).holdUpAcknowledgements)
}

func (w *world) holdUpAcknowledgements(consuming *pipe) {
	w.mu.Lock()
	w.busyUntil = time.Now().Add(time.Second)
	w.mu.Unlock()
	for range 12 {
		w.actors.say("dome", "i", "", "", w.rng)
		pass(10 * time.Millisecond)
	}
	pass(780 * time.Millisecond) // the broker answers a request
	consuming.up.stallUntil(time.Now().Add(time.Hour))
	pass(600 * time.Millisecond)
	consuming.reset()
}

// whileLinked calls do with the connection on which an idle link consumes.
func (w *world) whileLinked(ctx context.Context, do func(consuming *pipe)) {
	w.actors = newActors(w)
	w.actors.join(w.broker)
	ctx, unlink := context.WithCancel(ctx)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_ = w.link.Run(ctx)
	}()
	pass(5300 * time.Millisecond)
	do(w.net.open()[0])
	pass(5 * time.Second)
	w.actors.stop()
	unlink()
	<-ended
	w.actors.leave()
	_ = w.broker.Close()
	w.running.Wait()
	w.hub.Close()
}
