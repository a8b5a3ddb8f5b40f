package history

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
	"time"
)

// newNames is a body with a number of keywords that were never heard before.
func newNames(round, count int) string {
	var b strings.Builder
	fmt.Fprintf(&b, `{"o%d": {"n": 1`, round)
	for i := range count {
		fmt.Fprintf(&b, `, "k%d": %d.5`, i, i)
	}
	return b.String() + "}}"
}

// An actor that invents keywords, a name for each frame for example, holds up nobody's replies: this took
// 1,000 times as long.
func TestNewKeywordsTakeNotMuchLongerWhenOthersMustGo(t *testing.T) {
	const names, rounds = 5000, 6
	s := New(Limits{Bytes: 32 << 20})
	fastest := func(from int) time.Duration {
		best := time.Duration(math.MaxInt64)
		for i := range rounds {
			body := newNames(from+i, names)
			began := time.Now()
			s.say("loud", after(float64(from+i)), body)
			best = min(best, time.Since(began))
		}
		return best
	}
	roomy := fastest(0)
	full := 0
	for ; s.Figures().EvictedSeries == 0; full++ {
		s.say("loud", after(float64(rounds+full)), newNames(rounds+full, names))
	}
	if tight := fastest(rounds + full); tight > 200*roomy {
		t.Errorf("a reply takes %v with room, and %v without", roomy, tight)
	}
	if f := s.Figures(); f.Bytes > 32<<20 || f.Bytes < 28<<20 {
		t.Errorf("figures %+v", f)
	}
}

// One noisy keyword among many makes room by itself, and much at a time.
func TestANoisyKeywordLosesItsOwnPastAtOnce(t *testing.T) {
	s := New(Limits{Bytes: 700 << 10})
	s.say("a", start, newNames(0, 500))
	for i := range 100_000 {
		s.say("a", after(float64(i)/100), fmt.Sprintf(`{"noise": %d.%d}`, i*7919%100_000, i))
	}
	f := s.Figures()
	if f.EvictedSeries > 0 || f.EvictedChunks == 0 || f.Bytes < 620<<10 {
		t.Errorf("figures %+v", f)
	}
	if told := s.since(t, start, after(1000), 10, "a.o0.k499", "a.o0.n"); told[0].Kind == nil || told[1].Kind == nil {
		t.Errorf("the quiet ones are %v", told)
	}
}

// A keyword that was evicted is neither unknown, nor does it begin when it is heard again.
func TestAKeywordThatWasEvictedAsAWholeIsToldAsEvicted(t *testing.T) {
	const n, again = 2000, 3000
	s := New(Limits{Bytes: 64 << 10, Actors: 3})
	s.say("b", start, `{"n": 1}`)
	s.say("a", start, `{"n": 1}`)
	for i := range n {
		s.say("a", after(float64(i+1)), fmt.Sprintf(`{"kept": 1, "k%d": 1}`, i))
	}
	evicted := func(from float64, keywords ...string) []string {
		return s.ask(t, Query{Keywords: keywords, From: after(from).UnixMilli(), To: after(2 * again).UnixMilli(), Points: 10}).Evicted
	}
	all := []string{"a.n", "a.kept", "b.n", "b.none", "none"}
	if got := evicted(0, all...); !slices.Equal(got, []string{"a.n"}) {
		t.Errorf("evicted are %v", got)
	}
	if got := evicted(n, all...); len(got) > 0 {
		t.Errorf("of the time after the last of them, evicted are %v", got)
	}
	s.say("a", after(again), `{"n": 2}`)
	if got := evicted(0, all...); !slices.Equal(got, []string{"a.n"}) {
		t.Errorf("once it is heard again, evicted are %v", got)
	}
	for i := range 3 {
		s.say(fmt.Sprint("new", i), after(again+1+float64(i)), `{"n": 1}`)
	}
	if got := evicted(0, "a.n", "a.kept", "new2.n", "new2.none"); !slices.Equal(got, []string{"a.n", "a.kept", "new2.n", "new2.none"}) {
		t.Errorf("once the actor is evicted, too, evicted are %v", got)
	}
}

func TestWhatIsEvictedIsToldToThoseWhoHearEverything(t *testing.T) {
	s := New(Limits{Bytes: 64 << 10, Origins: true})
	for i := range 1000 {
		s.Note(&Reply{Actor: "a", Time: after(float64(i)), Code: "i"}, membersOf(fmt.Sprintf(`{"k": {"k%d": 1}}`, i)))
	}
	for everything, want := range map[bool]int{true: 3, false: 0} {
		a := s.ask(t, Query{Keywords: []string{"a.k.k0", "a.n", "a.k.k999"}, From: start.UnixMilli(), To: after(2000).UnixMilli(), Points: 10,
			Visible: func(o *Origin) bool { return everything || !o.Others }})
		if len(a.Evicted) != want {
			t.Errorf("of everything (%v): evicted are %v", everything, a.Evicted)
		}
	}
}

func TestAnEvictionIsToldOfTheTimeThatItHasTakenOnly(t *testing.T) {
	s := New(Limits{Actors: 1})
	s.say("a", start, `{"n": 1}`)
	s.say("b", after(10), `{"n": 1}`)
	for from, want := range map[int64]int{0: 1, 1: 0} {
		a := s.ask(t, Query{Keywords: []string{"a.n"}, From: start.UnixMilli() + from, To: after(20).UnixMilli(), Points: 10})
		if len(a.Evicted) != want {
			t.Errorf("from %d ms after its only value on, evicted are %v", from, a.Evicted)
		}
	}
}

// An actor that invents names, one for each frame for example, has room for a new one still.
func TestAKeywordIsKeptHoweverManyNamesThereWere(t *testing.T) {
	s := New(Limits{})
	const times, names = 5, maxMembers / 4
	for i := range times {
		var top, below strings.Builder
		for k := range names {
			fmt.Fprintf(&top, `, "k%d": %d`, i*names+k, k)
			fmt.Fprintf(&below, `, "m%d": [{}, {"x": [%d]}]`, i*names+k, k)
		}
		s.say("a", after(float64(i)), `{"o": {"e": {}`+below.String()+`}`+top.String()+`}`)
	}
	s.say("a", after(times), `{"new": 1, "o": {"new": 1}}`)
	newest := fmt.Sprint(times*names - 1)
	for _, name := range []string{"a.new", "a.o.new", "a.k" + newest, "a.o.m" + newest + ".1.x.0"} {
		if told := s.since(t, start, after(10), 10, name)[0]; told.Kind == nil {
			t.Errorf("%s is not known", name)
		}
	}
	a := s.ask(t, Query{Keywords: []string{"a.k0", "a.o.m0.1.x.0"}, From: start.UnixMilli(), To: after(10).UnixMilli(), Points: 1})
	if len(a.Evicted) != 2 {
		t.Errorf("evicted are %v", a.Evicted)
	}
	root := &s.live.actors["a"].root
	if f := s.Figures(); f.LeftOut != 0 || f.EvictedSeries == 0 || len(root.children) > maxMembers || len(root.children["o"].children) > maxMembers {
		t.Errorf("figures %+v, there are %d and %d members", f, len(root.children), len(root.children["o"].children))
	}
	counted := actorCost + len("a") - nodeCost // the root
	root.nodes(func(n *node) { counted += nodeCost + len(n.key) })
	root.each(func(s *series) { counted += s.cost() + s.chunks()*chunkBytes })
	if f := s.Figures(); f.Bytes != counted {
		t.Errorf("%d bytes are counted, and there are %d", f.Bytes, counted)
	}
}

// nodes calls do for a node, and for each below it.
func (n *node) nodes(do func(*node)) {
	do(n)
	for _, c := range n.children {
		c.nodes(do)
	}
	for _, c := range n.items {
		if c != nil {
			c.nodes(do)
		}
	}
}
