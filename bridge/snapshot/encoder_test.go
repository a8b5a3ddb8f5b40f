package snapshot

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
)

// fewWords is of few actors and keywords, so that all of them come again.
func fewWords(rnd *rand.Rand, seq uint64) Reply {
	var members []string
	for range rnd.IntN(4) {
		members = append(members, fmt.Sprintf(`"k%d": "%s"`, rnd.IntN(12), strings.Repeat("x", rnd.IntN(60))))
	}
	r := say(fmt.Sprintf("a%d", rnd.IntN(14)), seq, "{"+strings.Join(members, ", ")+"}")
	r.Internal, r.CommandID = rnd.IntN(4) == 0, fmt.Sprint(rnd.IntN(3))
	return r
}

func unsealedPart(text []byte) []byte { return text }

// text is the encoded text.
func (p *Encoder) text() string {
	return "{" + string(bytes.Join(p.Parts(), nil)) + "}"
}

// Whatever comes while it is written, an encoder is what the store held when it was
// started; and when it is finished it is what the store holds.
func TestAnEncoderWritesOneMomentWhateverComesMeanwhile(t *testing.T) {
	odd := func(e Entry) bool { return len(e.Keyword)%2 == 0 && e.CommandID != "2" }
	for seed := range uint64(40) {
		rnd := rand.New(rand.NewPCG(seed, 1))
		s := New(Limits{Actors: 10, Keywords: 9, Bytes: 60 << 10, Value: 50})
		keep := []func(Entry) bool{nil, odd}[seed%2]
		p, seq := NewEncoder(keep, nil, 0, unsealedPart), uint64(0)
		hear := func() {
			seq++
			s.Note(fewWords(rnd, seq))
		}
		for range 60 {
			for range rnd.IntN(20) {
				hear()
			}
			want := string(s.Append(nil, keep))
			p.Start(s)
			for !p.Step(func(int) bool { return rnd.IntN(2) == 0 }) {
				hear()
			}
			hear()
			if got := p.text(); got != want {
				t.Fatalf("seed %d, reply %d:\n got %s\nwant %s", seed, seq, got, want)
			}
			if rnd.IntN(2) == 0 {
				if !p.Finish(s, 1000) {
					t.Fatal("a few keywords are too many")
				}
				if got, want := p.text(), string(s.Append(nil, keep)); got != want {
					t.Fatalf("seed %d, reply %d, finished:\n got %s\nwant %s", seed, seq, got, want)
				}
			}
		}
	}
}

func TestAnEncoderWritesOnlyWhatHasChanged(t *testing.T) {
	s := manyActors(1000, 50)
	asked := 0
	p := NewEncoder(func(Entry) bool { asked++; return true }, nil, 10, unsealedPart)
	encode := func() (keywords int) {
		asked = 0
		p.Start(s)
		for !p.Step(func(int) bool { return true }) {
		}
		return asked
	}
	if n := encode(); n != 50_000 {
		t.Errorf("first it looked at %d keywords", n)
	}
	before := p.Parts()
	s.Note(say("actor500", 1, `{"temperature_0": 5}`))
	if n := encode(); n != 50 {
		t.Errorf("then it looked at %d", n)
	}
	made := 0
	for i, part := range p.Parts() {
		if &part[0] != &before[i][0] {
			made++
		}
	}
	if made != 1 {
		t.Errorf("%d of %d parts were made anew", made, len(before))
	}
	if n := encode(); n != 0 {
		t.Errorf("and for nothing at %d", n)
	}
}

func TestAnEncodersStepIsBounded(t *testing.T) {
	s := manyActors(200, 200)
	asked, most := 0, 0
	p := NewEncoder(func(Entry) bool { asked++; return true }, nil, 0, unsealedPart)
	p.Start(s)
	for done := false; !done; {
		asked = 0
		done = p.Step(func(int) bool { return asked >= 1000 })
		most = max(most, asked)
	}
	if most > 1000+16 {
		t.Errorf("a step looked at %d keywords", most)
	}
	if s.Note(say("new", 1, `{"a": 1, "b": 2}`)); p.Finish(s, 2) {
		t.Error("it finished what was too much")
	}
	if !p.Finish(s, 3) {
		t.Error("it did not finish what was little")
	}
}

// The copies that a view costs are made once.
func TestAReplyOfKnownKeywordsAllocatesOnceForAView(t *testing.T) {
	s, r := New(Limits{}), typical(1)
	s.Note(r)
	s.Note(r)
	s.Actors()
	s.Note(r) // the copies
	s.Note(r) // and the second source
	if n := testing.AllocsPerRun(100, func() { s.Note(r) }); n != 0 {
		t.Errorf("a reply allocates %v times", n)
	}
}

// The parts of a long encoder are made a few at a time, too: 30 MiB of them at once
// kept all requests waiting.
func TestAStepMakesAtMostOnePart(t *testing.T) {
	s := New(Limits{})
	for i := range 100 {
		s.Note(say(fmt.Sprintf("actor%02d", i), uint64(i), `{"a": "`+strings.Repeat("x", 20_000)+`"}`))
	}
	p := NewEncoder(nil, nil, 0, unsealedPart)
	p.Start(s)
	steps, inStep := 0, 0
	for done := false; !done; steps++ {
		inStep = 0
		done = p.Step(func(bytes int) bool { inStep += bytes; return bytes > 0 })
		if inStep > partSize {
			t.Errorf("a step wrote %d bytes", inStep)
		}
	}
	if least := 100 + 100*20_000/partSize; steps < least {
		t.Errorf("it took %d steps, not %d", steps, least)
	}
	if got, want := p.text(), string(s.Append(nil, nil)); got != want {
		t.Errorf("it became %d bytes, want %d", len(got), len(want))
	}
}

// encode brings an encoder up to date.
func (p *Encoder) encode(s *Store) {
	p.Start(s)
	for !p.Step(func(int) bool { return false }) {
	}
}

func TestNearCountsTheActorsThatHaveChangedAndTheirKeywords(t *testing.T) {
	for name, body := range map[string]string{"values": `{"x": 2}`, "an eviction": `{"z": 2}`} {
		s, asked := New(Limits{Keywords: 2}), 0
		for _, actor := range []string{"a", "b", "c"} {
			s.Note(say(actor, 1, `{"x": 1, "y": 1}`))
		}
		p := NewEncoder(func(Entry) bool { asked++; return true }, nil, 0, unsealedPart)
		p.encode(s)
		if !p.Near(s, 0) {
			t.Errorf("%s: it is not near although nothing has changed", name)
		}
		s.Note(say("a", 2, body))
		s.Note(say("b", 3, body))
		for most, want := range map[int]bool{0: false, 2: false, 3: false, 5: false, 6: true, 7: true} {
			if got := p.Near(s, most); got != want {
				t.Errorf("%s: two actors of two keywords are near by %d: %v", name, most, got)
			}
		}
		asked = 0
		if p.Start(s); p.Near(s, 1000) {
			t.Errorf("%s: it is near while it is busy", name)
		}
		p.encode(s)
		if asked != 4 {
			t.Errorf("%s: it looked at %d keywords, not at those of two actors", name, asked)
		}
	}
}

// An actor that was silent loses a keyword to the room that another one takes.
func TestAnActorThatLosesAKeywordHasChanged(t *testing.T) {
	fill := func(s *Store) {
		for i := range 5 {
			s.Note(say("big", 1, fmt.Sprintf(`{"k%d": "%s"}`, i, strings.Repeat("x", 2500))))
		}
		s.Note(say("small", 2, `{"k": 1}`))
		s.Note(say("silent", 3, `{"k": 1}`))
	}
	s := New(Limits{})
	fill(s)
	s = New(Limits{Bytes: s.Bytes()})
	fill(s)
	p := NewEncoder(nil, nil, 0, unsealedPart)
	p.encode(s)
	s.Note(say("small", 4, `{"k": 12}`))
	for most, want := range map[int]bool{6: false, 7: true} { // small and its keyword, big and the four that it still has
		if got := p.Near(s, most); got != want {
			t.Errorf("it is near by %d keywords: %v", most, got)
		}
	}
	if p.encode(s); p.text() != string(s.Append(nil, nil)) || strings.Contains(p.text(), `"k0"`) {
		t.Error("the keyword that was evicted is still there")
	}
}

func TestAPartIsFilledUpToItsSize(t *testing.T) {
	const first = 30_000
	value := func(n int) string { return `{"v": "` + strings.Repeat("x", n) + `"}` }
	for more, parts := range map[int]int{0: 1, 1: 2} {
		s, p := New(Limits{}), NewEncoder(nil, nil, 0, unsealedPart)
		s.Note(say("a", 1, value(first)))
		p.encode(s)
		beside := len(p.text()) - len("{}") - first
		s.Note(say("b", 1, value(partSize-first-2*beside+more)))
		p.encode(s)
		if got := len(p.Parts()); got != parts {
			t.Errorf("%d bytes are in %d parts, want %d", partSize+more, got, parts)
		}
	}
}

func TestAnEncodersBytesAreThoseOfItsParts(t *testing.T) {
	const room = 10
	s, p := manyActors(30, 50), NewEncoder(nil, nil, room, unsealedPart)
	if p.Bytes() != 0 {
		t.Errorf("an empty one has %d", p.Bytes())
	}
	p.encode(s)
	sum := 0
	for _, part := range p.Parts() {
		sum += len(part)
	}
	if p.Bytes() != sum || sum < len(s.Append(nil, nil)) {
		t.Errorf("%d bytes in parts of %d", p.Bytes(), sum)
	}
}

func TestAViewStaysWhateverOtherViewsAreTaken(t *testing.T) {
	for name, other := range map[string]func(*Store){
		"a list of actors": func(s *Store) { s.Actors() },
		"an encoder":       func(s *Store) { NewEncoder(nil, nil, 0, unsealedPart).Start(s) },
	} {
		for _, first := range []bool{true, false} {
			s, p := New(Limits{}), NewEncoder(nil, nil, 0, unsealedPart)
			s.Note(say("mount", 1, `{"ra": 1}`))
			want := string(s.Append(nil, nil))
			s.Note(say("mount", 1, `{"ra": 1}`)) // what was copied for that is changed in place again
			if first {
				other(s)
			}
			p.Start(s)
			if !first {
				other(s)
			}
			s.Note(say("mount", 2, `{"ra": 2}`))
			if p.encode(s); p.text() != want {
				t.Errorf("%s, first is %v:\n got %s\nwant %s", name, first, p.text(), want)
			}
		}
	}
}
