package amqpx

import (
	"fmt"
	"log/slog"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"
)

// broken simulates a queue of numbered messages whose link breaks again and again. The broker sends
// up to the prefetch ahead. At the end of a session, acknowledgements are lost, and so are messages
// that were sent but not received.
func broken(r *rand.Rand, count, prefetch int, message func(int) amqp.Delivery) (handed []int) {
	rep := newRedelivered(prefetch)
	settled, sentBefore := 0, 0 // what the broker has acknowledged, and has sent in any session
	for settled < count {
		rep.begin()
		sent := min(count, settled+r.IntN(prefetch+1))
		received := settled + r.IntN(sent-settled+1)
		ackedHere := settled
		for n := settled; n < received; n++ {
			d := message(n)
			d.Redelivered = n < sentBefore
			if !rep.seen(&d) {
				handed = append(handed, n)
			}
			if r.IntN(3) == 0 {
				rep.acknowledged()
				ackedHere = n + 1
			}
		}
		sentBefore = max(sentBefore, sent)
		if r.IntN(2) == 0 { // some of the acknowledgements arrive
			settled += r.IntN(ackedHere - settled + 1)
		}
	}
	return handed
}

func TestExactlyWhatComesAgainIsLeftOut(t *testing.T) {
	for seed := range uint64(100) {
		r := rand.New(rand.NewPCG(seed, 1))
		handed := broken(r, 200, 1+r.IntN(20), func(n int) amqp.Delivery {
			return amqp.Delivery{MessageId: fmt.Sprint(n), Body: []byte("same")}
		})
		for i, n := range handed {
			if n != i {
				t.Fatalf("seed %d: %d was handed over as number %d", seed, n, i)
			}
		}
		if len(handed) != 200 {
			t.Fatalf("seed %d: %d of 200 were handed over", seed, len(handed))
		}
	}
}

func TestNoneOfSeveralEqualMessagesIsLost(t *testing.T) {
	for seed := range uint64(100) {
		r := rand.New(rand.NewPCG(seed, 2))
		handed := broken(r, 200, 1+r.IntN(20), func(int) amqp.Delivery { return amqp.Delivery{Body: []byte("same")} })
		slices.Sort(handed)
		if len(slices.Compact(handed)) != 200 {
			t.Fatalf("seed %d: %d of 200 were handed over", seed, len(slices.Compact(handed)))
		}
	}
}

// keptReader is the state of a kept queue, and what it reported.
type keptReader struct {
	*consumerState
	reported []string
}

func newKeptReader() *keptReader {
	r := &keptReader{}
	r.consumerState = newConsumerState(Queue{
		Name:    "q",
		Expires: time.Minute,
		Deliver: func(d *Delivery) { r.reported = append(r.reported, string(d.Body)) },
		OnGap:   func(Gap) { r.reported = append(r.reported, "gap") },
	}, 10, slog.New(slog.DiscardHandler))
	return r
}

// read takes messages; one that ends in "!" is a redelivery.
func (r *keptReader) read(messages ...string) {
	for _, m := range messages {
		name, again := strings.CutSuffix(m, "!")
		r.take(&amqp.Delivery{MessageId: name, Body: []byte(name), Exchange: "x", Redelivered: again})
	}
}

func (r *keptReader) expect(t *testing.T, want string) {
	t.Helper()
	if got := strings.Join(r.reported, " "); got != want {
		t.Errorf("it reported %q, want %q", got, want)
	}
}

func TestLateMessagesOfAnEarlierConsumerAreAGapAndBreakNoOrder(t *testing.T) {
	r := newKeptReader()
	r.startSession()
	r.begin()
	r.read("a", "b")
	r.startSession()
	r.begin()
	r.read("b!", "c!", "d", "b!", "a!", "d!", "e") // what was delivered before is no loss
	r.expect(t, "a b c d e")
	r.read("a!", "x!", "y!", "a!", "z!", "f", "z!", "g")
	r.expect(t, "a b c d e gap f gap g")
}

// The consumer before the last one is dropped only now. Its messages are older than those that the
// last one delivered.
func TestMessagesOfTheConsumerBeforeTheLastAreAGapAndBreakNoOrder(t *testing.T) {
	r := newKeptReader()
	r.startSession()
	r.begin()
	r.read("a")
	r.redelivered.otherConsumer = true // it has b and c
	since := time.Now()
	r.completeUntil = since
	r.startSession()
	r.begin()
	r.read("d", "e")
	r.completeUntil = since.Add(time.Minute)
	r.redelivered.otherConsumer = false
	r.startSession()
	r.begin()
	if !r.overlap.Equal(since) {
		t.Errorf("what comes too late was sent after %v, want %v", r.overlap, since)
	}
	r.startSession()
	r.begin() // of a session that broke before anything arrived
	r.read("b!", "c!", "e!", "f!", "g", "h")
	r.expect(t, "a d e gap g h")
	r.startSession()
	r.begin()
	r.read("h!", "i!", "j") // the other consumer is gone
	r.expect(t, "a d e gap g h i j")
}

func TestANewLinkTakesWhatItsPredecessorHadNotAcknowledged(t *testing.T) {
	r := newKeptReader()
	r.startSession()
	r.begin()
	r.read("a!", "b!", "c")
	r.expect(t, "a b c")
}

func TestAMarkerInAKeptQueueIsNotDelivered(t *testing.T) {
	r := newKeptReader()
	r.startSession()
	r.begin()
	r.noteOutage(2)
	r.take(&amqp.Delivery{RoutingKey: "q_kept", Type: placeType})
	r.read("a", "b")
	r.expect(t, "a gap b") // it is one of the two that waited
}

func TestTheHeadersOfAQuorumQueueAreRemovedFromWhatComesAgainAndFromNothingElse(t *testing.T) {
	own := func() amqp.Table { return amqp.Table{"x-delivery-count": int64(3), "command_id": "7"} }
	for name, c := range map[string]struct {
		d    amqp.Delivery
		left int
	}{
		"first":           {amqp.Delivery{Headers: own()}, 2},
		"again":           {amqp.Delivery{Headers: own(), Redelivered: true}, 1},
		"without headers": {amqp.Delivery{Redelivered: true}, 0},
	} {
		if cleanKept(&c.d); len(c.d.Headers) != c.left {
			t.Errorf("%s: the headers are %v", name, c.d.Headers)
		}
	}
}

// A quorum queue may take seconds to deliver, while its consumer waits and the broker is heard.
// Only a watermark shows until when everything has arrived.
func TestAGapOfAKeptQueueStartsAtTheLastWatermark(t *testing.T) {
	began := time.Now().Add(-time.Minute)
	second := func(n int) time.Time { return began.Add(time.Duration(n) * time.Second) }
	for name, c := range map[string]struct {
		ids  []string
		want time.Time
	}{
		"none came":                     {nil, began},
		"one came":                      {[]string{"mine 3000000000"}, second(3)},
		"an older one came again":       {[]string{"mine 5000000000", "mine 4000000000"}, second(5)},
		"one of an earlier session":     {[]string{"other 9000000000"}, began},
		"a probe, and one that is none": {[]string{"", "mine x"}, began},
	} {
		t.Run(name, func(t *testing.T) {
			r := newKeptReader()
			r.completeUntil, r.boundAt = began, began
			r.startSession()
			r.begin()
			r.watermark = watermark{active: true, session: "mine ", began: began}
			for _, id := range c.ids {
				r.take(&amqp.Delivery{Type: placeType, RoutingKey: "q_kept", MessageId: id})
			}
			r.loss.idle(second(30), 1, 1, second(30), false)
			r.loss.idle(second(40), 1, 1, second(40), false)
			r.end(second(50), second(50))
			if !r.completeUntil.Equal(c.want) {
				t.Errorf("nothing is missing until %v, want %v", r.completeUntil.Sub(began), c.want.Sub(began))
			}
			if len(r.reported) > 0 {
				t.Errorf("it reported %v", r.reported)
			}
		})
	}
}

func TestTheIDOfAWatermarkShowsWhenItWasSent(t *testing.T) {
	w := watermark{active: true, session: "mine ", began: time.Now()}
	sent := w.began.Add(90 * time.Second)
	if !w.take(w.id(sent)) || !w.reached.Equal(sent) {
		t.Errorf("%q is of %v", w.id(sent), w.reached.Sub(w.began))
	}
}
