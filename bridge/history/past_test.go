package history

import (
	"encoding/json"
	"fmt"
	"slices"
	"testing"
)

// join ends the reading of a past.
func (p *Past) join() {
	for !p.JoinOne() {
		continue
	}
}

// body is what an actor says at a second.
func pastBody(i int) string {
	return fmt.Sprintf(`{"n": %d.25, "s": "%d", "o": {"m": [%d]}}`, i%7, i/10, i)
}

func TestAPastIsPutInFrontOfWhatIsKnown(t *testing.T) {
	whole, joined := New(Limits{}), New(Limits{})
	past := joined.Past()
	for i := range 5000 {
		whole.say("a", after(float64(i)), pastBody(i))
	}
	// The live ones come while the past is read.
	for i := range 5000 {
		if i < 4000 {
			past.Note(&Reply{Actor: "a", Time: after(float64(i))}, membersOf(pastBody(i)))
		}
		if i%5 == 0 {
			live := 4000 + i/5
			joined.say("a", after(float64(live)), pastBody(live))
		}
	}
	before := joined.Figures().Bytes
	if a := joined.ask(t, Query{Keywords: []string{"a.n"}, From: 0, To: 1, Points: 1}); !a.Filling {
		t.Error("the past is read, and an answer does not say so")
	}
	past.join()
	if a := joined.ask(t, Query{Keywords: []string{"a.n"}, From: 0, To: 1, Points: 1}); a.Filling {
		t.Error("the past was joined, and an answer says that it is being read")
	}
	if now := joined.Figures().Bytes; now > before {
		t.Errorf("joining has raised the memory from %d to %d", before, now)
	}
	for _, keyword := range []string{"a.n", "a.s", "a.o.m.0"} {
		for points, begins := range map[int][]float64{10: {0, 4500}, 80: {0, 4500}, 5000: {4500}} { // where both know each change, or neither
			for _, from := range begins {
				want, got := whole.since(t, after(from), after(5000), points, keyword)[0], joined.since(t, after(from), after(5000), points, keyword)[0]
				if !slices.Equal(want.T, got.T) || !slices.Equal(texts(want.Last), texts(got.Last)) || !slices.Equal(texts(want.Value), texts(got.Value)) {
					t.Errorf("%s from %v on, %d points: %d values, want %d", keyword, from, points, len(got.T), len(want.T))
				}
			}
		}
	}
}

func TestAnActorThatWasHeardInThePastOnlyIsKnown(t *testing.T) {
	s := New(Limits{})
	past := s.Past()
	past.Note(&Reply{Actor: "dead", Time: start}, membersOf(`{"n": 1}`))
	past.Note(&Reply{Actor: "back", Time: start}, membersOf(`{"n": 1}`))
	s.say("back", after(300), `{"n": 2}`)
	past.join()
	all := s.since(t, start, after(400), 10, "dead.n", "back.n")
	if !slices.Equal(texts(all[0].Last), []string{"1"}) || !slices.Equal(texts(all[1].Last), []string{"1", "2"}) {
		t.Errorf("told %s and %s", all[0].Last, all[1].Last)
	}
	if len(all[1].Silent) != 1 || !slices.Equal(seconds(all[1].Silent[0][:]), []float64{0, 300}) {
		t.Errorf("it was silent %v", all[1].Silent)
	}
	s.say("dead", after(401), `{"n": 1}`)
	s.say("dead", after(402), `{"n": 3}`)
	if told := s.since(t, start, after(500), 10, "dead.n")[0]; !slices.Equal(texts(told.Last), []string{"1", "3"}) {
		t.Errorf("after it is back: %s", told.Last)
	}
}

func TestThePauseBetweenAPastAndTheRestIsSilenceByTheRhythm(t *testing.T) {
	s := New(Limits{})
	past := s.Past()
	for i := range 20 {
		past.Note(&Reply{Actor: "a", Time: after(float64(i)), Broadcast: true}, membersOf(`{"n": 1}`))
		past.Note(&Reply{Actor: "irregular", Time: after(float64(i))}, membersOf(`{"n": 1}`))
		past.Note(&Reply{Actor: "unheard", Time: after(float64(i)), Broadcast: true}, membersOf(`{"n": 1}`))
	}
	s.say("a", after(44), `{"n": 1}`)
	s.say("irregular", after(44), `{"n": 1}`)
	past.join()
	s.say("unheard", after(44), `{"n": 1}`)
	for actor, want := range map[string][][2]int64{"a": {{after(19).UnixMilli(), after(44).UnixMilli()}}, "irregular": nil, "unheard": {{after(19).UnixMilli(), after(44).UnixMilli()}}} {
		if told := s.since(t, start, after(50), 10, actor+".n")[0]; !slices.Equal(told.Silent, want) {
			t.Errorf("%s was silent %v, want %v", actor, told.Silent, want)
		}
	}
}

func TestAPastHasNoMoreMemoryThanThereIs(t *testing.T) {
	s := New(Limits{Bytes: 160 << 10})
	past := s.Past()
	for i := range 5_000 {
		body := ""
		for k := range 20 {
			body += fmt.Sprintf(`, "k%d": %d.%d`, k, i*k, i)
		}
		past.Note(&Reply{Actor: fmt.Sprint("a", i%5), Time: after(float64(i))}, membersOf("{"+body[2:]+"}"))
	}
	past.join()
	f := s.Figures()
	if f.Bytes > 160<<10 || f.EvictedChunks == 0 {
		t.Errorf("figures %+v", f)
	}
	told := s.since(t, after(4_900), after(5_000), 1000, "a1.k7")[0]
	if len(told.T) < 20 {
		t.Errorf("of the newest, %d values are known", len(told.T))
	}
}

func TestASecondPastReplacesTheFirst(t *testing.T) {
	s := New(Limits{})
	first := s.Past()
	first.Note(&Reply{Actor: "a", Time: start}, membersOf(`{"n": 1}`))
	second := s.Past()
	first.Note(&Reply{Actor: "a", Time: start}, membersOf(`{"n": 2}`))
	second.Note(&Reply{Actor: "a", Time: start}, membersOf(`{"n": 3}`))
	first.join()
	second.join()
	if told := s.since(t, start, after(1), 10, "a.n")[0]; !slices.Equal(texts(told.Last), []string{"3"}) {
		t.Errorf("told %s", told.Last)
	}
	if f := s.Figures(); f.Series != 1 || f.EvictedSeries != 0 {
		t.Errorf("figures %+v", f)
	}
}

func TestAPastWithOriginsIsJoinedByOrigin(t *testing.T) {
	s := New(Limits{Origins: true})
	past := s.Past()
	for i, code := range []string{"i", "w", "i"} {
		past.Note(&Reply{Actor: "a", Time: after(float64(i)), Code: code, CommandID: "1"}, membersOf(fmt.Sprintf(`{"n": %d}`, i)))
	}
	s.Note(&Reply{Actor: "a", Time: after(10), Code: "i", CommandID: "2"}, membersOf(`{"n": 10}`))
	past.join()
	a := s.ask(t, Query{Keywords: []string{"a.n"}, From: start.UnixMilli(), To: after(20).UnixMilli(), Points: 10,
		Visible: func(o *Origin) bool { return o.Code == "i" && o.Command && slices.Equal(o.Keywords, []string{"n"}) }})
	if got := texts(a.Series[0].Last); !slices.Equal(got, []string{"0", "2", "10"}) {
		t.Errorf("told %v", got)
	}
}

// An asker that is told that nothing more comes does not ask again.
func TestAnAnswerThatWasReadBeforeThePastWasJoinedSaysThatItComes(t *testing.T) {
	s := New(Limits{})
	past := s.Past()
	past.Note(&Reply{Actor: "a", Time: start}, membersOf(`{"n": 1}`))
	s.say("a", after(10), `{"n": 2}`)
	asked := s.Ask(Query{Keywords: []string{"a.n"}, From: start.UnixMilli(), To: after(20).UnixMilli(), Points: 10})
	for !asked.Step() {
	}
	past.join()
	var a answer
	if text := append(asked.Append([]byte{'{'}), '}'); json.Unmarshal(text, &a) != nil || !a.Filling || len(a.Series[0].T) != 1 {
		t.Errorf("told %s", text)
	}
}

// While replies of the past come, only what is wanted of them is kept.
func TestOfAPastEachChangeIsKeptOfItsLastMinutesOnly(t *testing.T) {
	s := New(Limits{})
	past := s.Past()
	for i := range 6 * 3600 {
		past.Note(&Reply{Actor: "a", Time: after(float64(i))}, membersOf(pastBody(i)))
	}
	if f := s.Figures(); f.Bytes > 60_000 {
		t.Errorf("figures %+v", f)
	}
}

func TestGapsThatAPastTellsAreBeforeLaterOnes(t *testing.T) {
	s := New(Limits{})
	s.Gap(after(4000), after(4001))
	for i := range 2 * maxSpans {
		s.Gap(after(float64(i)), after(float64(i)+0.5))
	}
	gaps := s.ask(t, Query{From: start.UnixMilli(), To: after(5000).UnixMilli(), Points: 1}).Gaps
	newest := gaps[len(gaps)-1]
	if len(gaps) != maxSpans || newest[0] != after(4000).UnixMilli() || !slices.IsSortedFunc(gaps, func(a, b [2]int64) int { return int(a[0] - b[0]) }) {
		t.Errorf("%d gaps are told, the last is %v", len(gaps), seconds(newest[:]))
	}
}
