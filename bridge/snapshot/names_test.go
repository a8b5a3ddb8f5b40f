package snapshot

import (
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"
)

// hiding makes visible what has no keyword with this name, as far as that is known.
func hiding(name string) *Visible {
	return &Visible{
		Keywords: true,
		Reply:    func(e Entry) bool { return e.Known && !slices.Contains(e.Keywords, name) },
		AllOf:    func(actor string) bool { return actor == "open" },
	}
}

// visible returns the snapshot and the actors of which someone may know, written in small steps.
func (s *Store) visible(v *Visible) (text, actors string) {
	p := NewEncoder(nil, v, 0, unsealedPart)
	p.Start(s)
	for !p.Step(func(int) bool { return true }) {
	}
	all, progress := s.Actors(), Restricting{}
	for !all.Restrict(v, &progress, func() bool { return true }) {
	}
	return p.text(), string(all.Append(nil))
}

func TestAReplyIsVisibleAsAWholeOrNotAtAll(t *testing.T) {
	s := New(Limits{})
	s.KeepNames()
	s.Note(say("mount", 1, `{"ra": 1, "dec": 2}`))
	s.Note(say("mount", 2, `{"dec": 3, "secret": 4}`))
	s.Note(say("mount", 3, `{"secret": 5}`)) // dec alone is left of the reply before
	s.Note(say("dome", 4, `{"secret": 6}`))
	s.Note(say("ping", 5, `{}`))
	text, actors := s.visible(hiding("secret"))
	last := func(seq int) string { return fmt.Sprintf(`"time": "%s", "code": "i", "seq": %d`, noonText, seq) }
	if want := `{"mount": {` + last(1) + unheard + `, "keywords": {"ra": {"value": 1, ` + last(1) + `}}}, "ping": {` + last(5) + unheard + `, "keywords": {}}}`; text != want {
		t.Errorf("got  %s\nwant %s", text, want)
	}
	if want := `[{"name": "mount", ` + last(1) + unheard + `, "keywords": 1}, {"name": "ping", ` + last(5) + unheard + `, "keywords": 0}]`; actors != want {
		t.Errorf("got  %s\nwant %s", actors, want)
	}
}

func TestTheLastReplyOfAnActorIsTheLastVisibleOne(t *testing.T) {
	s := New(Limits{})
	for seq, internal := range []bool{false, false, true} {
		r := say("mount", uint64(seq+1), fmt.Sprintf(`{"k%d": 1}`, 2-seq))
		r.Internal = internal
		s.Note(r)
	}
	public := &Visible{Reply: func(e Entry) bool { return !e.Internal }, AllOf: func(string) bool { return false }}
	text, actors := s.visible(public)
	if !strings.Contains(text, `"code": "i", "seq": 2`+unheard+`, "keywords": {"k1"`) || !strings.Contains(actors, `"seq": 2`+unheard+`, "keywords": 2`) {
		t.Errorf("got %s\nand %s", text, actors)
	}
}

func TestWhatIsNotKnownOfAReplyIsToldToNobodyWhoMayNotKnowAll(t *testing.T) {
	s := New(Limits{Keywords: 2, Value: 10})
	s.Note(say("before", 1, `{"a": 1}`))
	s.KeepNames()
	s.Note(say("many", 2, `{"secret": 1, "a": 2, "b": 3}`))
	s.Note(say("long", 2, `{"abcdef": 1, "ghijkl": 2}`))
	s.Note(say("after", 3, `{"a": 1}`))
	for _, field := range []func(r *Reply) *string{
		func(r *Reply) *string { return &r.Code }, func(r *Reply) *string { return &r.RoutingKey },
		func(r *Reply) *string { return &r.CommandID }, func(r *Reply) *string { return &r.Commander },
	} {
		r := say("cut", 4, `{"a": 1}`)
		*field(&r) = strings.Repeat("x", 11)
		s.Note(r)
		if !s.actors["cut"].last.entry().Cut {
			t.Errorf("a header of %+v was cut off", r)
		}
	}
	if text, actors := s.visible(hiding("secret")); strings.Contains(text+actors, "many") || strings.Contains(text+actors, "before") || strings.Contains(text+actors, "long") || !strings.Contains(text, "after") {
		t.Errorf("got %s\nand %s", text, actors)
	}
}

func TestHowManyKeywordsWereEvictedIsToldOfActorsOfWhichEverythingIsVisible(t *testing.T) {
	s := New(Limits{Keywords: 2})
	s.KeepNames()
	for _, name := range []string{"open", "shut"} {
		for seq := range uint64(3) {
			s.Note(say(name, seq, fmt.Sprintf(`{"k%d": 1}`, seq)))
		}
	}
	text, actors := s.visible(hiding("secret"))
	for _, got := range []string{text, actors} {
		if strings.Count(got, `"evicted": 1`) != 1 || strings.Index(got, "evicted") > strings.Index(got, "shut") {
			t.Errorf("got %s", got)
		}
	}
}

// The names of keywords are shared by the replies that have the same, and given back with the last
// of them.
func TestTheNamesOfKeywordsAreKeptAsLongAsAReplyNeedsThem(t *testing.T) {
	s := New(Limits{Actors: 3, Keywords: 6, Bytes: 40 << 10})
	s.KeepNames()
	rnd := rand.New(rand.NewPCG(1, 2))
	for seq := range uint64(5000) {
		s.Note(fewWords(rnd, seq))
		for _, a := range s.actors {
			used := map[*nameSet]map[*keptReply]bool{}
			use := func(f *keptReply) {
				if f.names == nil {
					return
				}
				if used[f.names] == nil {
					used[f.names] = map[*keptReply]bool{}
				}
				used[f.names][f] = true
			}
			use(a.last)
			bytes := actorCost + len(a.name)
			counted := map[*keptReply]bool{a.last: true}
			for _, k := range a.all.list {
				use(k.from)
				counted[k.from] = true
				bytes += keywordCost + len(k.name) + len(k.value)
			}
			for f := range counted {
				bytes += f.cost()
			}
			if len(used) != len(a.sets) {
				t.Fatalf("reply %d: %s has %d sets, and %d are used", seq, a.name, len(a.sets), len(used))
			}
			for key, n := range a.sets {
				bytes += n.cost()
				if n.key != key || n.refs != len(used[n]) {
					t.Fatalf("reply %d: %q of %s has %d references, want %d", seq, key, a.name, n.refs, len(used[n]))
				}
			}
			if bytes != a.bytes {
				t.Fatalf("reply %d: %s takes %d bytes, but is counted with %d", seq, a.name, bytes, a.bytes)
			}
		}
	}
}

func TestNamesThatAreJoinedDifferentlyAreDifferent(t *testing.T) {
	s := New(Limits{})
	s.KeepNames()
	s.Note(say("a", 1, `{"ab": 1, "c": 1}`))
	s.Note(say("a", 2, `{"a": 1, "bc": 1}`))
	if n := len(s.actors["a"].sets); n != 2 {
		t.Errorf("there are %d sets", n)
	}
	e := s.actors["a"].last.entry()
	if !e.Known || !reflect.DeepEqual(e.Keywords, []string{"a", "bc"}) {
		t.Errorf("the last one has %q", e.Keywords)
	}
}

func TestAReplyIsAskedForOnceIfItsKeywordsDoNotMatter(t *testing.T) {
	s := New(Limits{})
	s.Note(say("a", 1, `{"k1": 1, "k2": 1, "k3": 1}`))
	for names, want := range map[bool]int{false: 1, true: 3} {
		asked := 0
		v := &Visible{Keywords: names, Reply: func(Entry) bool { asked++; return true }, AllOf: func(string) bool { return true }}
		p := NewEncoder(nil, v, 0, unsealedPart)
		p.Start(s)
		for !p.Step(func(int) bool { return false }) {
		}
		if asked != want {
			t.Errorf("if keywords matter is %v, it is asked %d times, want %d", names, asked, want)
		}
	}
}
