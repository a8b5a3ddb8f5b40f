package history

import (
	"slices"
	"strings"
	"testing"
	"time"
)

// story notes replies of an actor, one each second from the start on.
func story(s *Store, actor string, bodies ...string) {
	for i, body := range bodies {
		s.say(actor, after(float64(i)), body)
	}
}

func TestEachChangeIsTold(t *testing.T) {
	s := New(Limits{})
	story(s, "a", `{"n": 1}`, `{"n": 1}`, `{"n": 2.50}`, `{"m": 1}`, `{"n": 2.5}`, `{"n": -1e3}`)
	told := s.since(t, start, after(10), 100, "a.n")[0]
	if *told.Kind != "number" || told.BucketMS != 0 || told.FineFrom != nil || len(told.Count) != 0 {
		t.Errorf("told %+v", told)
	}
	if want := []string{"1", "2.5", "-1000"}; !slices.Equal(texts(told.Last), want) || !slices.Equal(seconds(told.T), []float64{0, 2, 5}) {
		t.Errorf("it was %v at %v, want %v", texts(told.Last), seconds(told.T), want)
	}
	if told.Until != after(5).UnixMilli() || told.Oldest != start.UnixMilli() {
		t.Errorf("it held until %d, from %d on", told.Until, told.Oldest)
	}
}

func TestTheValueThatHeldAtTheBeginningIsTold(t *testing.T) {
	s := New(Limits{})
	story(s, "a", `{"n": 1, "s": "x"}`, `{"n": 2, "s": "y"}`, `{"n": 3}`)
	all := s.since(t, after(1.5), after(10), 100, "a.n", "a.s")
	if !slices.Equal(texts(all[0].Last), []string{"2", "3"}) || !slices.Equal(seconds(all[0].T), []float64{1, 2}) {
		t.Errorf("the number was %v at %v", texts(all[0].Last), seconds(all[0].T))
	}
	if !slices.Equal(texts(all[1].Value), []string{`"y"`}) || !slices.Equal(seconds(all[1].T), []float64{1}) || all[1].Count != nil {
		t.Errorf("the state was %v at %v", texts(all[1].Value), seconds(all[1].T))
	}
	if exact := s.since(t, after(1), after(10), 100, "a.n")[0]; !slices.Equal(seconds(exact.T), []float64{1, 2}) {
		t.Errorf("from a change on, it was told at %v", seconds(exact.T))
	}
}

func TestManyChangesAreToldInBuckets(t *testing.T) {
	s := New(Limits{})
	story(s, "a", `{"n": 1}`, `{"n": 5}`, `{"n": 3}`, `{"n": 4}`, `{"n": 4}`, `{"n": 9}`)
	told := s.since(t, start, after(6), 2, "a.n")[0]
	if told.BucketMS != 5000 || !slices.Equal(told.Count, []int64{4, 1}) {
		t.Errorf("told %+v", told)
	}
	if !slices.Equal(texts(told.Min), []string{"1", "9"}) || !slices.Equal(texts(told.Max), []string{"5", "9"}) || !slices.Equal(texts(told.Last), []string{"4", "9"}) {
		t.Errorf("told %s %s %s", told.Min, told.Max, told.Last)
	}
}

func TestTheValueThatHeldBeforeBucketsIsItsMinAndMax(t *testing.T) {
	for value, extreme := range map[string]string{"-2.5": "-2.5", `"NaN"`: "null", "null": "null"} {
		s := New(Limits{})
		story(s, "a", `{"n": 1}`, `{"n": `+value+`}`, `{}`, `{}`, `{}`, `{"n": 3}`, `{"n": 4}`, `{"n": 5}`)
		told := s.since(t, after(5), after(8), 1, "a.n")[0]
		if !slices.Equal(texts(told.Last), []string{value, "5"}) || !slices.Equal(texts(told.Min), []string{extreme, "3"}) || !slices.Equal(texts(told.Max), []string{extreme, "5"}) || !slices.Equal(told.Count, []int64{0, 3}) {
			t.Errorf("told %s, %s, %s, %d", told.Last, told.Min, told.Max, told.Count)
		}
	}
}

func TestOldValuesAreToldByTheMinute(t *testing.T) {
	s := New(Limits{})
	fill(s, 1, 1, 3600, start)
	told := s.since(t, start, after(3600), 1200, "actor0.keyword_0")[0]
	fine := slices.Index(told.T, *told.FineFrom)
	if told.BucketMS != 5000 || fine < 40 || fine > 45 {
		t.Fatalf("buckets of %d ms from %d on, the %dth", told.BucketMS, *told.FineFrom, fine)
	}
	for i := range told.T[1:] {
		if step := told.T[i+1] - told.T[i]; i+1 < fine && step != 60_000 || i >= fine && step != 5000 {
			t.Errorf("after %d ms comes bucket %d", step, i+1)
		}
	}
}

func TestNoDigitIsLost(t *testing.T) {
	s := New(Limits{})
	numbers := []string{"5853498713190525696", "5853498713190525697", "-9223372036854775799", "0.1234567890123456", "1.7976931348623157e308", "5e-324", "0.1", "1e401"}
	for i, text := range numbers {
		s.say("a", after(float64(i)), `{"n": `+text+`}`)
	}
	s.say("a", after(20), `{"n": 12345678901234567890}`)
	all := s.since(t, start, after(30), 100, "a.n")
	want := []string{"5853498713190525696", "5853498713190525697", "-9223372036854775799", "0.1234567890123456", "17976931348623157e292", "5e-324", "0.1", "null"}
	if !slices.Equal(texts(all[0].Last), want) {
		t.Errorf("the numbers are %v", texts(all[0].Last))
	}
	if !slices.Equal(texts(all[1].Value), []string{"1e401", "12345678901234567890"}) {
		t.Errorf("too long for a number are %v", texts(all[1].Value))
	}
}

func TestNaNIsNeitherANumberNorNull(t *testing.T) {
	s := New(Limits{})
	story(s, "a", `{"n": 1}`, `{"n": NaN}`, `{"n": "Infinity"}`, `{"n": -Infinity}`, `{"n": null}`, `{"n": 2}`)
	told := s.since(t, start, after(10), 100, "a.n")
	if want := []string{"1", `"NaN"`, `"Infinity"`, `"-Infinity"`, "null", "2"}; len(told) != 1 || !slices.Equal(texts(told[0].Last), want) {
		t.Errorf("told %+v", told)
	}
	bucket := s.since(t, start, after(10), 1, "a.n")[0]
	if string(bucket.Min[0]) != "1" || string(bucket.Max[0]) != "2" || bucket.Count[0] != 6 {
		t.Errorf("in a bucket: %+v", bucket)
	}
}

func TestStatesAreToldAsTheActorWroteThem(t *testing.T) {
	s := New(Limits{})
	story(s, "a", `{"s": "open"}`, `{"s": "open"}`, `{"s": true}`, `{"s": false}`, `{"s": null}`, `{"s": "\u00fc\""}`, `{"s": "open"}`)
	told := s.since(t, start, after(10), 100, "a.s")[0]
	if want := []string{`"open"`, "true", "false", "null", `"\u00fc\""`, `"open"`}; *told.Kind != "state" || !slices.Equal(texts(told.Value), want) {
		t.Errorf("told %s", told.Value)
	}
	few := s.since(t, start, after(10), 2, "a.s")[0]
	if few.BucketMS != 5000 || !slices.Equal(texts(few.Value), []string{"null", `"open"`}) || !slices.Equal(few.Count, []int64{4, 2}) {
		t.Errorf("in two buckets: %+v", few)
	}
}

func TestAKeywordThatIsANumberAndATextHasTwoSeries(t *testing.T) {
	s := New(Limits{})
	story(s, "a", `{"k": 1}`, `{"k": "off"}`, `{"k": "off"}`, `{"k": 1}`, `{"k": 2}`)
	all := s.since(t, start, after(10), 100, "a.k")
	if len(all) != 2 {
		t.Fatalf("there are %d series", len(all))
	}
	if want := []string{"1", "null", "1", "2"}; !slices.Equal(texts(all[0].Last), want) || !slices.Equal(seconds(all[0].T), []float64{0, 1, 3, 4}) {
		t.Errorf("the number was %v at %v", texts(all[0].Last), seconds(all[0].T))
	}
	if want := []string{`"off"`, "null"}; !slices.Equal(texts(all[1].Value), want) || !slices.Equal(seconds(all[1].T), []float64{1, 3}) {
		t.Errorf("the text was %v at %v", texts(all[1].Value), seconds(all[1].T))
	}
}

func TestAKeywordThatWasNullBeforeItsFirstNumberHasOneSeries(t *testing.T) {
	s := New(Limits{})
	story(s, "a", `{"k": null}`, `{"k": 1}`, `{"k": null}`)
	all := s.since(t, start, after(10), 100, "a.k")
	if len(all) != 1 || !slices.Equal(texts(all[0].Last), []string{"1", "null"}) {
		t.Errorf("told %+v", all)
	}
}

func TestMembersAndItemsAreKeywords(t *testing.T) {
	s := New(Limits{})
	story(s, "my.actor", `{"o": {"a": {"b": [7, {"c": "x"}]}, "a.b": 8}, "p.q": 10, "l": [[1], []]}`)
	for name, want := range map[string]string{
		"my.actor.o.a.b.0": "7", "my.actor.o.a.b": "8", "my.actor.o.": "", "my.actor.p.q": "10", "my.actor.l.0.0": "1", "my.actor.o.a.b.1.c": `"x"`,
		"my.actor.o": "", "my.actor.l.1": "", "my.actor.l.00": "", "my.actor": "", "": "", "actor.o": "", "my.actor.l.0.0.0": "", "...": "",
	} {
		told := s.since(t, start, after(1), 10, name)[0]
		got := ""
		if told.Kind != nil {
			got = string(append(told.Last, told.Value...)[0])
		}
		if got != want {
			t.Errorf("%q was %q, want %q", name, got, want)
		}
	}
}

func TestWhatIsTooDeepOrTooMuchIsCounted(t *testing.T) {
	s := New(Limits{})
	story(s, "a", `{"a": {"b": {"c": {"d": {"e": 1, "f": {"g": 1}}}}}, "l": [1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18]}`)
	if f := s.Figures(); f.LeftOut != 2 || f.Series != 17 {
		t.Errorf("figures %+v", f)
	}
}

func TestALongTextEndsWithAnEllipsis(t *testing.T) {
	for _, text := range []string{
		`"` + string(slices.Repeat([]byte("x"), 500)) + `"`,
		`"` + string(slices.Repeat([]byte(`\\`), 250)) + `"`,
		`"x` + string(slices.Repeat([]byte(`\\`), 250)) + `"`,
		`"` + string(slices.Repeat([]byte("ü"), 250)) + `"`,
		`"x` + string(slices.Repeat([]byte("ü"), 250)) + `"`,
		`"` + string(slices.Repeat([]byte(`\u00fc`), 100)) + `"`,
		`"xxx` + string(slices.Repeat([]byte(`\ud83d\ude00`), 100)) + `"`,
	} {
		s := New(Limits{})
		s.say("a", start, `{"s": `+text+`}`)
		s.say("a", after(1), `{"s": `+text[:len(text)-1]+`!"}`)
		told := s.since(t, start, after(10), 10, "a.s")[0] // it is read as JSON
		if len(told.Value) == 0 || len(told.Value[0]) > longestState || len(told.Value[0]) < longestState-12 {
			t.Errorf("%.10s... is told as %s", text, told.Value)
		}
	}
}

func TestSilenceOfAnActorIsTold(t *testing.T) {
	s := New(Limits{})
	s.say("a", start, `{"n": 1}`)
	s.say("a", after(30), `{"m": 1}`)
	s.say("a", after(100), `{"n": 1}`)
	s.Gap(after(40), after(50))
	s.Gap(time.Time{}, after(60))
	a := s.ask(t, Query{Keywords: []string{"a.n"}, From: start.UnixMilli(), To: after(200).UnixMilli(), Points: 10})
	if len(a.Series[0].Silent) != 1 || !slices.Equal(seconds(a.Series[0].Silent[0][:]), []float64{30, 100}) {
		t.Errorf("it was silent %v", a.Series[0].Silent)
	}
	if len(a.Gaps) != 2 || !slices.Equal(seconds(a.Gaps[0][:]), []float64{40, 50}) || !slices.Equal(seconds(a.Gaps[1][:]), []float64{60, 60}) {
		t.Errorf("the gaps are %v", a.Gaps)
	}
}

func TestAnActorIsSilentByItsRhythm(t *testing.T) {
	for what, c := range map[string]struct {
		every, pause float64 // seconds
		broadcast    bool
		silent       bool
	}{
		"a second's rhythm, and 25 s without":          {1, 25, true, true},
		"a second's rhythm, and less than five":        {1, 4.9, true, false},
		"two minutes' rhythm, and five without":        {120, 300, true, false},
		"two minutes' rhythm, and ten without":         {120, 600, true, true},
		"replies to commands make no rhythm":           {1, 25, false, false},
		"without a rhythm a minute is what may pass":   {1, 60, false, false},
		"and more than a minute is silence, as before": {1, 61, false, true},
	} {
		s := New(Limits{})
		at := start
		say := func(pause float64, body string) {
			at = at.Add(time.Duration(pause * float64(time.Second)))
			s.Note(&Reply{Actor: "a", Time: at, Broadcast: c.broadcast}, membersOf(body))
		}
		say(0, `{"n": 1}`)
		for range 20 {
			say(c.every, `{"other": 1}`) // that n is not said is no silence
		}
		last := at // until a rhythm of two minutes is known, each pause is silence
		say(c.pause, `{"n": 1}`)
		var want [][2]int64
		if c.silent {
			want = [][2]int64{{last.UnixMilli(), at.UnixMilli()}}
		}
		if told := s.since(t, last, at, 10, "a.n")[0]; !slices.Equal(told.Silent, want) {
			t.Errorf("%s: it was silent %v, want %v", what, told.Silent, want)
		}
	}
}

func TestWhatTheBridgeMissedMakesNoRhythm(t *testing.T) {
	s := New(Limits{})
	at := start
	say := func(pause time.Duration) {
		at = at.Add(pause)
		s.Note(&Reply{Actor: "a", Time: at, Broadcast: true}, membersOf(`{"n": 1}`))
	}
	say(0)
	for range 10 {
		for range 3 {
			say(time.Second)
		}
		s.Gap(at, at.Add(time.Hour/2))
		say(time.Hour / 2)
	}
	if a := s.live.actors["a"]; a.silentAfter() != 5000 {
		t.Errorf("it is silent after %d ms", a.silentAfter())
	}
}

func TestSilenceIsForThoseWhoHearEverything(t *testing.T) {
	s := New(Limits{Origins: true})
	for i := range 2 {
		s.Note(&Reply{Actor: "a", Time: after(float64(i) * 100), Code: "i"}, membersOf(`{"n": 1}`))
	}
	for all, want := range map[bool]int{true: 1, false: 0} {
		a := s.ask(t, Query{Keywords: []string{"a.n"}, From: start.UnixMilli(), To: after(200).UnixMilli(), Points: 10,
			Visible: func(o *Origin) bool { return all || !o.Others }})
		if got := len(a.Series[0].Silent); got != want {
			t.Errorf("of all (%v): %d spans", all, got)
		}
	}
}

func TestValuesOfOriginsThatAreNotVisibleAreLeftOut(t *testing.T) {
	s := New(Limits{Origins: true})
	for i, code := range []string{"i", "w", "i", "w", "w", "i"} {
		s.Note(&Reply{Actor: "a", Time: after(float64(i)), Code: code}, membersOf([]string{`{"n": 1}`, `{"n": 2}`}[i%2]))
	}
	for codes, want := range map[string][]string{"i": {"1", "2"}, "w": {"2", "1"}, "iw": {"1", "2", "1", "2", "1", "2"}, "": nil} {
		a := s.ask(t, Query{Keywords: []string{"a.n"}, From: start.UnixMilli(), To: after(10).UnixMilli(), Points: 10,
			Visible: func(o *Origin) bool { return o.Code != "" && strings.Contains(codes, o.Code) }})
		if got := texts(a.Series[0].Last); !slices.Equal(got, want) {
			t.Errorf("to those who hear %q it was %v, want %v", codes, got, want)
		}
	}
}

func TestManyOriginsShareASeriesForThoseWhoHearEverything(t *testing.T) {
	s := New(Limits{Origins: true})
	for i := range 400 {
		s.Note(&Reply{Actor: "a", Time: after(float64(i)), Commander: string(rune('A' + i))}, membersOf(`{"n": 1}`))
	}
	series := map[*Origin]bool{}
	s.ask(t, Query{Keywords: []string{"a.n"}, From: start.UnixMilli(), To: after(500).UnixMilli(), Points: 10,
		Visible: func(o *Origin) bool { series[o] = true; return o.Others }})
	if f := s.Figures(); len(series) != maxKeywordSeries || f.Series != maxKeywordSeries {
		t.Errorf("there are %d series, %d were looked at", f.Series, len(series))
	}
}
