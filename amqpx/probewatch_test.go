package amqpx

import (
	"bytes"
	"log/slog"
	"strings"
	"testing"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"
)

// The limits of the watches in these tests.
const (
	silence, confirm, delivery, retry, resend = 4, 3, 5, 2, 7
)

// watching is a watch, and the consumer's progress.
type watching struct {
	probeWatch
	t      *testing.T
	reads  uint64
	answer probeFate
}

func newWatching(t *testing.T) *watching {
	return &watching{t: t, probeWatch: probeWatch{limits: probeLimits{silence, confirm, delivery, retry, resend}}}
}

// expect passes a number of ticks, of which only the last may return a step other than
// probeNothing.
func (w *watching) expect(ticks int, want probeStep) {
	w.t.Helper()
	for n := 1; n <= ticks; n++ {
		got := w.tick(w.reads, w.answer)
		if n < ticks && got != probeNothing || n == ticks && got != want {
			w.t.Fatalf("tick %d of %d: %v, want %v on the last", n, ticks, got, want)
		}
	}
}

func (w *watching) hear() { w.reads += 2 }

func TestAQueueIsProbedOnlyWhenItIsSilent(t *testing.T) {
	w := newWatching(t)
	for range 50 {
		w.hear()
		w.expect(silence, probeNothing)
	}
	w.expect(1, probeSend)
}

func TestAProbeThatIsDeliveredIsFollowedByOneAfterTheNextSilence(t *testing.T) {
	for name, deliveredFirst := range map[string]bool{"confirmed first": false, "delivered first": true} {
		t.Run(name, func(t *testing.T) {
			w := newWatching(t)
			w.expect(silence, probeSend)
			if deliveredFirst {
				w.hear()
			}
			w.answer = probeTaken
			w.expect(1, probeNothing)
			w.answer = probePending
			if !deliveredFirst {
				w.hear()
				w.expect(1, probeNothing)
			}
			w.expect(silence, probeSend)
		})
	}
}

func TestAProbeWithoutAConfirmIsRepeatedUntilOneIsDelivered(t *testing.T) {
	w := newWatching(t)
	w.expect(silence, probeSend)
	for range 3 {
		w.expect(confirm, probeDown)
		w.expect(resend, probeSend)
	}
	w.expect(confirm, probeDown)
	w.hear() // then it may have recovered already
	w.expect(retry, probeSend)
	w.answer = probeRejected
	w.expect(1, probeDown)
	w.answer = probePending
	w.expect(retry, probeSend)
	w.hear() // perhaps what came before it
	w.expect(1, probeNothing)
	w.answer = probeTaken
	w.expect(1, probeRecovered)
	w.answer = probePending
	w.expect(silence, probeSend)
}

func TestALateRejectionIsFollowedBySoonerProbes(t *testing.T) {
	w := newWatching(t)
	w.expect(silence, probeSend)
	w.expect(confirm, probeDown)
	w.answer = probeRejected
	w.expect(1, probeDown)
	w.answer = probePending
	w.expect(retry, probeSend)
}

func TestALateConfirmShowsThatAQueueHasRecovered(t *testing.T) {
	w := newWatching(t)
	w.expect(silence, probeSend)
	w.expect(confirm, probeDown)
	w.hear()
	w.answer = probeTaken
	w.expect(1, probeRecovered)
}

func TestASlowConfirmMeansNothingForAQueueThatDelivers(t *testing.T) {
	w := newWatching(t)
	w.expect(silence, probeSend)
	w.hear()
	w.expect(1, probeNothing)
	w.expect(silence, probeSend)
}

func TestAConsumerCountsAsDeadOnlyIfAConfirmedProbeIsMissing(t *testing.T) {
	w := newWatching(t)
	w.expect(silence, probeSend)
	w.answer = probeTaken
	w.expect(1, probeNothing)
	w.answer = probePending
	w.expect(delivery, probeLost)

	w = newWatching(t)
	w.reads = 7 // it takes long over a delivery
	w.expect(10*silence, probeNothing)
}

func TestABrokerThatBlocksPublishersIsNotProbed(t *testing.T) {
	w := newWatching(t)
	for range 5 {
		w.expect(silence-1, probeNothing)
		w.rest()
	}
	w.expect(silence, probeSend)
	for range 5 {
		w.expect(confirm-1, probeNothing)
		w.rest()
	}
	w.expect(confirm, probeDown)
}

func TestARefusedProbeIsLoggedOnceAndNotRepeatedAtTheNextLink(t *testing.T) {
	var log bytes.Buffer
	l := &Link{log: slog.New(slog.NewTextHandler(&log, nil))}
	if !l.mayProbe() {
		t.Error("a new link may not probe")
	}
	for range 2 {
		l.noteProbesRefused(&amqp.Error{Code: amqp.AccessRefused, Server: true, Recover: true}, "q")
		if l.mayProbe() {
			t.Error("it may probe again at once")
		}
	}
	if n := strings.Count(log.String(), "amq.default"); n != 1 {
		t.Errorf("it is logged %d times: %s", n, log.String())
	}
}

func TestAProbeIsNotDeliveredAndDoesNotShowThatTheBindingsStand(t *testing.T) {
	for name, q := range map[string]Queue{
		"exclusive": {Name: "q"},
		"expires":   {Name: "q", Expires: time.Minute},
	} {
		t.Run(name, func(t *testing.T) {
			var got []string
			var gaps int
			q.Deliver = func(d *Delivery) { got = append(got, d.RoutingKey) }
			q.OnGap = func(Gap) { gaps++ }
			cs := newConsumerState(q, 10, slog.New(slog.DiscardHandler))
			cs.boundAt = time.Now().Add(-time.Minute)
			cs.startSession()
			cs.begin()
			probe := &amqp.Delivery{DeliveryTag: 1, RoutingKey: cs.queueName(), Type: placeType}
			cs.gap, cs.gapAfter = &Gap{To: time.Now()}, 1 // a probe waited in the queue, too
			cs.received(probe)
			cs.take(probe)
			if !cs.loss.routedAfter.IsZero() || len(got) > 0 {
				t.Errorf("routed after %v, delivered %v", cs.loss.routedAfter, got)
			}
			if q.Expires > 0 && gaps != 1 {
				t.Errorf("%d gaps were reported", gaps)
			}
			for i, d := range []amqp.Delivery{
				{Exchange: "x", RoutingKey: cs.queueName(), Type: placeType}, // other senders may use that type
				{RoutingKey: "other", Type: placeType},
				{RoutingKey: cs.queueName(), Type: "note"},
			} {
				d.DeliveryTag = uint64(i + 2)
				cs.loss.saturated = false
				cs.received(&d)
				cs.take(&d)
			}
			if len(got) != 3 || cs.loss.routedAfter.IsZero() {
				t.Errorf("delivered %v, routed after %v", got, cs.loss.routedAfter)
			}
		})
	}
}

// A queue that took no messages when the link broke, and takes them in the next session, has recovered:
// the next failure is reported again.
func TestAQueueThatRecoversWhileTheLinkIsDownHasRecovered(t *testing.T) {
	cs := newConsumerState(Queue{Name: "q"}, 10, slog.New(slog.DiscardHandler))
	cs.queueDown.Store(true)
	p := newProber(&session{link: &Link{cfg: Config{Jitter: randomBelow}}}, &consumer{state: cs})
	if got := p.watch.tick(0, probePending); got != probeSend {
		t.Fatalf("at first the step is %v, want %v", got, probeSend)
	}
	p.watch.tick(0, probeTaken)
	if got := p.watch.tick(2, probePending); got != probeRecovered {
		t.Errorf("after a probe came back the next step is %v, want %v", got, probeRecovered)
	}
}
