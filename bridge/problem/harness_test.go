package problem

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/clu-ws/clu-ws/bridge/filter"
	"github.com/clu-ws/clu-ws/bridge/site"
	"github.com/clu-ws/clu-ws/internal/jsonscan"
	"github.com/clu-ws/clu-ws/internal/testkit"
)

// harness is a tracker with a clock of its own, and what it told.
type harness struct {
	*Tracker
	t     *testing.T
	clock *testkit.Clock
	seq   uint64
	told  []string // "ACTOR@SECONDS"
}

func newHarness(t *testing.T, set ...func(*Config)) *harness {
	h := &harness{t: t, clock: new(testkit.Clock)}
	cfg := Config{Epoch: "e", Now: h.clock.Now, After: h.clock.After, Changed: func(actor string) {
		h.told = append(h.told, fmt.Sprintf("%s@%v", actor, h.clock.Now().Sub(time.Unix(0, 0)).Seconds()))
	}}
	for _, f := range set {
		f(&cfg)
	}
	h.Tracker = New(cfg)
	t.Cleanup(h.Close)
	h.SetLinked(true)
	return h
}

// says lets an actor broadcast a body with a code.
func (h *harness) says(actor, code, body string) uint64 {
	return h.reply(filter.Reply{Sender: actor, Code: code, RoutingKey: "reply.broadcast"}, body)
}

func (h *harness) reply(r filter.Reply, body string) uint64 {
	h.seq++
	h.replyAt(r, body, h.clock.Now(), h.seq)
	return h.seq
}

func (h *harness) replyAt(r filter.Reply, body string, at time.Time, seq uint64) {
	h.Note(&Reply{Reply: &r, Seq: seq, Heard: at, Body: []byte(body), Keywords: keywordsOf(body)})
}

func keywordsOf(body string) func(yield func(name, value []byte) bool) {
	return func(yield func(name, value []byte) bool) {
		members := jsonscan.MembersOf([]byte(body))
		for {
			name, value, ok := members.Next()
			if !ok || !yield(name, value) {
				return
			}
		}
	}
}

// ack acknowledges what a client knows of an actor that hears everything, as the bridge does.
func (h *harness) ack(actor, key string, seq uint64) {
	h.t.Helper()
	a, err := h.Prepare(actor, key, &seq, nil)
	if err != nil {
		h.t.Fatal(err)
	}
	a.By = "ana"
	h.seq++
	h.Acked(a, h.clock.Now(), h.seq)
}

// conditions sets conditions, each as NAME LEVEL FOR: EXPRESSION.
func (h *harness) conditions(forms ...string) {
	h.t.Helper()
	var cfg site.Config
	for _, form := range forms {
		head, when, _ := strings.Cut(form, ": ")
		words := strings.Fields(head)
		wait, err := time.ParseDuration(words[2])
		if err != nil {
			h.t.Fatal(err)
		}
		cfg.Conditions = append(cfg.Conditions, site.ConditionConfig{Name: words[0], Level: words[1], For: wait, When: when})
	}
	h.site(&cfg)
}

func (h *harness) site(cfg *site.Config) {
	h.t.Helper()
	s, err := site.Compile(cfg)
	if err != nil {
		h.t.Fatal(err)
	}
	h.SetConditions(s.Conditions())
}

// state describes the problems of an actor: level, text and count, and whether it has ended or is
// acknowledged.
func (h *harness) state(actor string, views ...*filter.View) string {
	var v *filter.View
	if len(views) > 0 {
		v = views[0]
	}
	problems, omitted := h.Of(actor, v)
	var all []string
	for _, p := range problems {
		s := fmt.Sprintf("%v %s x%d", p.Level, h.textOf(p), p.Count)
		if p.Kind != Broadcast && !p.Active {
			s += " ended"
		}
		if p.Acked != nil {
			s += " acked"
		}
		all = append(all, s)
	}
	if omitted > 0 {
		all = append(all, fmt.Sprintf("%d omitted", omitted))
	}
	return strings.Join(all, ", ")
}

// textOf returns the text of a problem, or of a condition with a name what is written in the site.
func (h *harness) textOf(p Problem) string {
	for _, c := range h.Tracker.conditions {
		if c.Key == p.Key && c.Name != "" {
			return c.Text
		}
	}
	return p.Text
}

func (h *harness) expect(actor, want string) {
	h.t.Helper()
	if got := h.state(actor); got != want {
		h.t.Errorf("%s has %q, want %q", actor, got, want)
	}
}

// keyOf returns the key of the problem with a text.
func (h *harness) keyOf(actor, text string) string {
	h.t.Helper()
	problems, _ := h.Of(actor, nil)
	at := slices.IndexFunc(problems, func(p Problem) bool { return p.Text == text })
	if at < 0 {
		h.t.Fatalf("%s has no problem %q: %v", actor, text, problems)
	}
	return problems[at].Key
}
