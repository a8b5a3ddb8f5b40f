package filter_test

import (
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/clu-ws/clu-ws/bridge/filter"
)

// modelView is a view as one would say it.
type modelView struct{ hear, hide []model }

func randomView(rnd *rand.Rand) (m modelView) {
	some := func(most int) (all []model) {
		for range rnd.IntN(most + 1) {
			one := randomModel(rnd)
			// "me" is not allowed in a view.
			if slices.Contains(one["commander"], "me") {
				delete(one, "commander")
			}
			all = append(all, one)
		}
		return all
	}
	return modelView{some(3), some(2)}
}

func (m modelView) view(t testing.TB, rnd *rand.Rand) *filter.View {
	read := func(all []model) (filters []*filter.Filter) {
		for _, one := range all {
			filters = append(filters, parse(t, one.spelled(rnd)))
		}
		return filters
	}
	return filter.NewView(read(m.hear), read(m.hide))
}

func (m modelView) hides(r *filter.Reply) bool {
	return slices.ContainsFunc(m.hide, func(one model) bool { return one.wants(r, false) })
}

func (m modelView) wants(r *filter.Reply) bool {
	return slices.ContainsFunc(m.hear, func(one model) bool { return one.wants(r, false) }) && !m.hides(r)
}

func TestViewsAgreeWithTheModel(t *testing.T) {
	selected := 0
	for seed := range uint64(3000) {
		rnd := rand.New(rand.NewPCG(seed, 21))
		m := randomView(rnd)
		v, f := m.view(t, rnd), parse(t, randomModel(rnd).spelled(rnd))
		narrow, rest := v.Narrow(f)
		memo := filter.NewMemo(100)
		var inMemo *filter.MemoView
		if v != nil {
			inMemo = memo.AddView(v)
		}
		for range 20 {
			r := randomReply(rnd)
			want := m.wants(r)
			if v.Match(r) != want || v.Hides(r) != m.hides(r) {
				t.Fatalf("seed %d: %s of %+v: %v, hidden %v; want %v, %v", seed, v.Key(), r, v.Match(r), v.Hides(r), want, m.hides(r))
			}
			memo.Look(r)
			for range 2 { // evaluated, and known
				if inMemo.Match() != want || inMemo.Hides() != m.hides(r) {
					t.Fatalf("seed %d: in a memo, %s of %+v is not %v", seed, v.Key(), r, want)
				}
			}
			if both := want && f.MatchMine(r, true); (narrow.MatchMine(r, true) && rest.Match(r)) != both {
				t.Fatalf("seed %d: %s of %s is not %s of %s", seed, narrow.Key(), rest.Key(), f.Key(), v.Key())
			}
			if senders := v.Senders(); want && senders != nil && !slices.Contains(senders, r.Sender) {
				t.Fatalf("seed %d: %s selects %q, but the senders are %q", seed, v.Key(), r.Sender, senders)
			}
			if v.SelectsAllOf(r.Sender) && !want {
				t.Fatalf("seed %d: %s does not select all of %q, but leaves out %+v", seed, v.Key(), r.Sender, r)
			}
			part := *r
			part.Keywords = r.Keywords[:rnd.IntN(len(r.Keywords)+1)]
			if v.MatchPart(&part) && !want {
				t.Fatalf("seed %d: by the keywords %q, %s certainly selects %+v", seed, part.Keywords, v.Key(), r)
			}
			if want {
				selected++
			}
		}
	}
	if selected < 5000 {
		t.Errorf("only %d replies were selected", selected)
	}
}

func viewOf(t testing.TB, hear, hide string) *filter.View {
	read := func(texts string) (all []*filter.Filter) {
		for text := range strings.SplitSeq(texts, "|") {
			if text != "" {
				all = append(all, parse(t, text))
			}
		}
		return all
	}
	return filter.NewView(read(hear), read(hide))
}

func TestAViewOfEverythingIsNil(t *testing.T) {
	v := viewOf(t, `{"sender": "a"}|{}`, ``)
	if v != nil {
		t.Errorf("it is %s", v.Key())
	}
	f := parse(t, `{"sender": "a"}`)
	narrow, rest := v.Narrow(f)
	if v.Key() != "" || v.ID() != "" || v.Senders() != nil || v.NeedsKeywords() || !v.SelectsAllOf("a") || !v.MatchPart(&filter.Reply{}) || narrow != f || rest != nil {
		t.Error("it is not everything")
	}
}

func TestViewsOfTheSameFiltersHaveTheSameKey(t *testing.T) {
	a, b := `{"sender": "a"}`, `{"sender": ["b", "c"]}`
	if one, other := viewOf(t, a+"|"+b, a), viewOf(t, `{"sender": ["c", "b"]}|`+a+"|"+a, a); one.Key() != other.Key() || one.ID() != other.ID() {
		t.Errorf("%s differs from %s", one.Key(), other.Key())
	}
	if everything := viewOf(t, a+"|{}", b); everything.Key() != viewOf(t, "{}", b).Key() {
		t.Errorf("%s has a filter that says nothing", everything.Key())
	}
	keys := map[string]bool{}
	views := []*filter.View{viewOf(t, a, ""), viewOf(t, a, a), viewOf(t, "", a), viewOf(t, "", ""), viewOf(t, a+"|"+b, ""), viewOf(t, a, b), viewOf(t, b, a)}
	for _, v := range views {
		keys[v.Key()] = true
	}
	if len(keys) != len(views) {
		t.Errorf("different views have the same key: %v", keys)
	}
	long := viewOf(t, `{"sender": "`+strings.Repeat("x", 150)+`"}|{"sender": "`+strings.Repeat("y", 150)+`"}`, "")
	if !strings.HasPrefix(long.ID(), "sha256:") || len(long.ID()) != len("sha256:")+64 {
		t.Errorf("the id of a long key is %s", long.ID())
	}
}

func TestAViewThatSelectsNothingHasNoSenders(t *testing.T) {
	v := viewOf(t, "", "")
	if v.Senders() == nil || len(v.Senders()) != 0 || v.Match(&filter.Reply{}) {
		t.Errorf("its senders are %v", v.Senders())
	}
	if got := viewOf(t, `{"sender": ["c", "a"]}|{"sender": ["b", "a"], "internal": true}`, `{"sender": "x*"}`).Senders(); !slices.Equal(got, []string{"a", "b", "c"}) {
		t.Errorf("the senders are %v", got)
	}
}

func TestAViewReportsWhetherItMayHearASender(t *testing.T) {
	for _, c := range []struct {
		hear, hide string
		want       bool
	}{
		{`{}`, ``, true},
		{`{"sender": "a*"}`, ``, true},
		{`{"sender": "b"}`, ``, false},
		{`{"keyword": "x"}`, ``, true},
		{`{}`, `{"sender": "a"}`, false},
		{`{}`, `{"sender": "a", "internal": true}`, true},
		{``, ``, false},
	} {
		if got := viewOf(t, c.hear, c.hide).MayHear("a"); got != c.want {
			t.Errorf("%s without %s: %v", c.hear, c.hide, got)
		}
	}
}

func TestAFilterThatAViewImpliesNeedsNoView(t *testing.T) {
	all, a, b := parse(t, `{}`), parse(t, `{"sender": "a"}`), parse(t, `{"sender": "b"}`)
	for _, c := range []struct {
		view         *filter.View
		asked, want  *filter.Filter
		withoutAView bool
	}{
		{viewOf(t, `{"sender": "a"}`, ``), all, a, true},
		{viewOf(t, `{"sender": "a"}`, ``), a, a, true},
		{viewOf(t, `{"sender": "a"}|{"sender": "b"}`, ``), b, b, true},
		{viewOf(t, `{"sender": "a"}|{"sender": "b"}`, ``), all, all, false},
		{viewOf(t, `{"sender": "a"}`, ``), b, b, false},
		{viewOf(t, `{"sender": "a"}`, `{"internal": true}`), all, all, false},
		{viewOf(t, `{"sender": "a"}`, `{"internal": true}`), a, a, false},
		{viewOf(t, ``, ``), all, all, false},
	} {
		narrow, rest := c.view.Narrow(c.asked)
		if narrow.Key() != c.want.Key() || (rest == nil) != c.withoutAView {
			t.Errorf("%s of %s is %s of %q", c.asked.Key(), c.view.Key(), narrow.Key(), rest.Key())
		}
	}
}

func TestAViewIsEvaluatedOnceForAReply(t *testing.T) {
	m := filter.NewMemo(10)
	v := m.AddView(viewOf(t, `{"sender": "a*"}|{"sender": "b*"}`, `{"sender": "*z"}`))
	m.Look(&filter.Reply{Sender: "bcd"})
	first := m.Work()
	v.Match()
	second := m.Work()
	v.Match()
	if again := m.Work() - second; again != 1 || second-first < 4 {
		t.Errorf("the first time it costs %d, the second %d", second-first, again)
	}
	number := m.Add()
	if number != 3 {
		t.Errorf("a view of three filters takes %d numbers", number)
	}
	for range 2000 { // the numbers come back together
		m.RemoveView(v)
		v = m.AddView(viewOf(t, `{"sender": "a*"}`, ``))
	}
	if number := m.Add(); number > 600 {
		t.Errorf("the numbers of removed views are not given out again, but %d", number)
	}
}

func TestMatchingAViewDoesNotAllocate(t *testing.T) {
	v := viewOf(t, `{"sender": "a*"}|{"keyword": ["x*", "y"]}`, `{"internal": true}|{"routing_key": "reply.x.#"}`)
	r := &filter.Reply{Sender: "bcd", RoutingKey: "reply.y", Keywords: []string{"z", "xy"}}
	m := filter.NewMemo(10)
	mv := m.AddView(v)
	look := func() {
		m.Look(r)
		if !v.Match(r) || v.Hides(r) || !mv.Match() {
			t.Fatal("it is not selected")
		}
	}
	look()
	if n := testing.AllocsPerRun(100, look); n != 0 {
		t.Errorf("it allocates %v times", n)
	}
}
