package problem

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/clu-ws/clu-ws/bridge/filter"
	"github.com/clu-ws/clu-ws/bridge/site"
)

// event is something that comes from the exchange.
type event struct {
	at    time.Time
	seq   uint64
	reply filter.Reply
	body  string
	ack   *Ack
}

func (e *event) to(h *harness) {
	if e.ack != nil {
		h.Acked(*e.ack, e.at, e.seq)
		return
	}
	h.replyAt(e.reply, e.body, e.at, e.seq)
}

var modelConditions = []string{"unsafe critical 0s: weather.safe == false", "windy error 30s: weather.wind > 2 and dome.open == true"}

// randomEvents returns events of a few actors, as they come one after the other. What a client
// acknowledges is what it knows at that time.
func randomEvents(t *testing.T, r *rand.Rand, n int) []event {
	h := newHarness(t)
	h.conditions(modelConditions...)
	var events []event
	for i := range n {
		if r.IntN(2) == 0 { // otherwise it comes at the same time
			h.clock.Pass(time.Duration(r.IntN(240_000)) * time.Millisecond)
		}
		e := event{at: h.clock.Now(), seq: uint64(i + 1)}
		name := []string{"dome", "weather"}[r.IntN(2)]
		switch r.IntN(8) {
		case 0:
			seq := uint64(r.IntN(i + 1))
			ack, _ := h.Prepare(name, "", &seq, nil)
			ack.By = []string{"ana", "eve"}[r.IntN(2)]
			e.ack = &ack
		case 1, 2, 3:
			e.reply = filter.Reply{Sender: name, Code: "i"}
			e.body = fmt.Sprintf(`{"wind": %d, "safe": %v, "open": %v}`, r.IntN(5), r.IntN(2) > 0, r.IntN(2) > 0)
		default:
			e.reply = filter.Reply{Sender: name, Code: []string{"w", "w", "e", "f", "!"}[r.IntN(5)]}
			e.body = fmt.Sprintf(`{"text": "%d"}`, r.IntN(3))
		}
		e.to(h)
		events = append(events, e)
	}
	return events
}

// all describes all problems, with their times.
func (h *harness) all() string {
	var b strings.Builder
	for _, name := range h.Actors() {
		problems, omitted := h.Of(name, nil)
		for _, p := range problems {
			fmt.Fprintf(&b, "%s %s %v %v..%v x%d seq %d active %v acked %v\n", name, p.Key, p.Level, p.Began.Unix(), p.Time.Unix(), p.Count, p.Seq, p.Active, p.Acked)
		}
		fmt.Fprintf(&b, "%d omitted\n", omitted)
	}
	return b.String()
}

func TestABridgeThatReadsThePastKnowsWhatItKnewLive(t *testing.T) {
	forEachSeed(t, 1, func(t *testing.T, r *rand.Rand) {
		events := randomEvents(t, r, 100)
		live, past := newHarness(t), newHarness(t, func(c *Config) { c.Past = true })
		for _, h := range []*harness{live, past} {
			h.conditions(modelConditions...)
		}
		past.clock.Pass(events[len(events)-1].at.Sub(past.clock.Now()))
		for _, e := range events {
			live.clock.Pass(e.at.Sub(live.clock.Now()))
			e.to(live)
			e.to(past)
		}
		past.Live()
		if a, b := live.all(), past.all(); a != b {
			t.Errorf("live:\n%s\nfrom the past:\n%s", a, b)
		}
	})
}

func TestWhatIsAdoptedFromFurtherBackIsWhatWouldBeKnown(t *testing.T) {
	forEachSeed(t, 5, func(t *testing.T, r *rand.Rand) {
		events := randomEvents(t, r, 100)
		at := r.IntN(len(events))
		whole, late := newHarness(t, func(c *Config) { c.Past = true }), newHarness(t, func(c *Config) { c.Past, c.Record = true, true })
		for _, h := range []*harness{whole, late} {
			h.conditions(modelConditions...)
			h.clock.Pass(events[len(events)-1].at.Sub(h.clock.Now()))
		}
		for _, e := range events {
			e.to(whole)
		}
		for _, e := range events[at:] {
			e.to(late)
		}
		whole.Live()
		late.Live()
		upTo := at + r.IntN(len(events)-at+1)
		old := &harness{Tracker: late.Before(), t: t, clock: late.clock}
		for _, e := range events[:upTo] {
			e.to(old)
		}
		if !late.Adopt(old.Tracker, uint64(upTo)) {
			t.Fatal("it was not adopted")
		}
		if a, b := whole.all(), late.all(); a != b {
			t.Errorf("split at %d; as a whole:\n%s\nadopted:\n%s", at, a, b)
		}
	})
}

func TestTheOrderOfDifferentActorsRepliesDoesNotMatter(t *testing.T) {
	forEachSeed(t, 2, func(t *testing.T, r *rand.Rand) {
		events := randomEvents(t, r, 100)
		a, b := newHarness(t, func(c *Config) { c.Past = true }), newHarness(t, func(c *Config) { c.Past = true })
		for _, e := range events {
			e.to(a)
		}
		// Replies of an actor keep their order, and so does what is acknowledged; those of different
		// senders that come at the same time do not.
		other := slices.Clone(events)
		for range 500 {
			i := r.IntN(len(other) - 1)
			x, y := &other[i], &other[i+1]
			if x.at.Equal(y.at) && x.from() != y.from() && !raises(x, y) {
				*x, *y = *y, *x
			}
		}
		for _, e := range other {
			e.to(b)
		}
		for _, h := range []*harness{a, b} {
			h.clock.Pass(events[len(events)-1].at.Sub(h.clock.Now()))
			h.Live()
		}
		if x, y := a.all(), b.all(); x != y {
			t.Errorf("in order:\n%s\nin another:\n%s", x, y)
		}
	})
}

// raises reports whether one of the events acknowledges what the other says, by its actor. These are
// in a causal order, which every broker keeps.
func raises(x, y *event) bool {
	if x.ack == nil {
		x, y = y, x
	}
	return x.ack != nil && x.ack.Actor == y.reply.Sender
}

func (e *event) from() string {
	if e.ack != nil {
		return "a bridge"
	}
	return e.reply.Sender
}

func TestALesserProblemNeverHidesAWorse(t *testing.T) {
	forEachSeed(t, 3, func(t *testing.T, r *rand.Rand) {
		h := newHarness(t)
		said, acked := map[string]site.Level{}, map[string]bool{} // by text
		for i := range 3 * maxBroadcasts {
			code := []string{"w", "e", "!"}[r.IntN(1+i%3)]
			text := fmt.Sprintf("%s%d", code, r.IntN(60))
			h.says("dome", code, fmt.Sprintf(`{"text": %q}`, text))
			said[text] = levelOf(&filter.Reply{Code: code})
			if r.IntN(20) == 0 {
				problems, _ := h.Of("dome", nil)
				for _, p := range problems {
					acked[p.Text] = true
				}
				for text := range said { // what is not listed is acknowledged as a whole
					if !acked[text] {
						delete(said, text)
					}
				}
				h.ack("dome", "", h.seq)
			}
			worst := site.None
			for text, level := range said {
				if !acked[text] {
					worst = max(worst, level)
				}
			}
			problems, omitted := h.Of("dome", nil)
			listed := site.None
			for _, p := range problems {
				if p.Acked == nil {
					listed = max(listed, p.Level)
				}
			}
			if listed != worst || len(problems) > maxBroadcasts {
				t.Fatalf("the worst of %d is %v, want %v (%d omitted)", len(problems), listed, worst, omitted)
			}
		}
	})
}

func TestAnAcknowledgementNeverHidesWhatWasSaidAfterIt(t *testing.T) {
	forEachSeed(t, 4, func(t *testing.T, r *rand.Rand) {
		h := newHarness(t)
		h.conditions("unsafe critical 0s: dome.safe == false")
		for range 60 {
			h.clock.Pass(time.Duration(r.IntN(int(5 * time.Minute))))
			switch r.IntN(4) {
			case 0:
				h.says("dome", "i", fmt.Sprintf(`{"safe": %v}`, r.IntN(2) > 0))
			default:
				h.says("dome", []string{"e", "!"}[r.IntN(2)], fmt.Sprintf(`{"text": "%d"}`, r.IntN(4)))
			}
			before, _ := h.Of("dome", nil)
			raised := map[string]uint64{}
			for _, p := range before {
				raised[p.Key] = h.actors["dome"].problems[p.Key].raised
			}
			seq := uint64(r.IntN(int(h.seq) + 1))
			h.ack("dome", "", seq)
			after, _ := h.Of("dome", nil)
			for _, p := range before {
				first := raised[p.Key]
				at := slices.IndexFunc(after, func(q Problem) bool { return q.Key == p.Key })
				if p.Acked != nil || first <= seq {
					continue
				}
				if at < 0 || after[at].Acked != nil {
					t.Fatalf("%q, raised by %d, is hidden by an acknowledgement up to %d", p.Text, first, seq)
				}
			}
		}
	})
}
