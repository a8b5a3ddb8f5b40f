package snapshot

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"
)

// rhythmOf returns the rhythm of broadcasts with these spaces between them, in milliseconds.
func rhythmOf(spaces ...int) time.Duration {
	var r rhythm
	at := noon
	r.note(at)
	for _, ms := range spaces {
		at = at.Add(time.Duration(ms) * time.Millisecond)
		r.note(at)
	}
	return r.interval()
}

// times repeats spaces.
func times(n int, spaces ...int) (all []int) {
	for range n {
		all = append(all, spaces...)
	}
	return all
}

func TestTheRhythmIsHowOftenAnActorUsuallyBroadcasts(t *testing.T) {
	for what, c := range map[string]struct {
		spaces []int
		want   time.Duration
	}{
		"once a second":                     {times(20, 1000), time.Second},
		"too few to tell":                   {times(3, 1000), 0},
		"enough to tell":                    {times(4, 1000), time.Second},
		"every minute":                      {times(6, 60_000), time.Minute},
		"with jitter":                       {times(10, 900, 1100, 1000), time.Second},
		"with one long pause":               {append(times(10, 1000), 90_000, 1000, 1000), time.Second},
		"a pause at the beginning":          {append([]int{3_600_000}, times(8, 5000)...), 5 * time.Second},
		"bursts at once":                    {times(10, 0, 1, 2, 3, 0, 994), time.Second},
		"bursts of one keyword after other": {times(6, 200, 200, 200, 9400), 9400 * time.Millisecond},
		"slower from now on":                {append(times(20, 1000), times(7, 10_000)...), 10 * time.Second},
		"faster from now on":                {append(times(20, 10_000), times(16, 1000)...), time.Second},
		"whenever something happens":        {[]int{100, 7000, 300, 61_000, 2500, 500, 23_000, 1500, 400, 9000, 120_000, 700}, 0},
		"less than once an hour":            {times(8, 4_000_000), 0},
		"the clock was set back":            {append(times(10, 1000), -3_600_000, 1000, 1000), time.Second},
	} {
		if got := rhythmOf(c.spaces...); got != c.want {
			t.Errorf("%s: the rhythm is %v, want %v", what, got, c.want)
		}
	}
}

func TestAChangedRhythmIsToldIfItDiffersByMoreThanAQuarter(t *testing.T) {
	var r rhythm
	at, changes := noon, 0
	play := func(n, ms int) {
		for range n {
			at = at.Add(time.Duration(ms) * time.Millisecond)
			if r.note(at) {
				changes++
			}
		}
	}
	for _, c := range []struct{ n, ms, changes int }{{20, 1000, 1}, {20, 1249, 1}, {20, 1260, 2}, {20, 1000, 2}, {20, 940, 3}} {
		if play(c.n, c.ms); changes != c.changes {
			t.Errorf("with %d ms, the rhythm has changed %d times, want %d; it is %v", c.ms, changes, c.changes, r.interval())
		}
	}
}

// Random events have no rhythm; a jittery clock has one.
func TestARhythmIsFoundWhereThereIsOne(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 2))
	var regular, random int
	const runs = 200
	for range runs {
		var jitter, events []int
		for range 40 {
			jitter = append(jitter, 5000+rnd.IntN(1500)-750)
			events = append(events, int(5000*rnd.ExpFloat64()))
		}
		if got := rhythmOf(jitter...); got > 4*time.Second && got < 6*time.Second {
			regular++
		}
		if rhythmOf(events...) != 0 {
			random++
		}
	}
	if regular != runs || random > runs/8 {
		t.Errorf("a rhythm is found in %d of %d regular series and in %d random ones", regular, runs, random)
	}
}

func TestOnlyBroadcastsCountForTheRhythm(t *testing.T) {
	s := New(Limits{})
	for n := range 40 {
		r := say("dome", uint64(n+1), `{}`)
		r.Time = noon.Add(time.Duration(n) * time.Second)
		if n%2 == 1 {
			r.Broadcast = false // somebody asks for its status twice as often
		}
		s.Note(r)
	}
	l, e, ok := s.LivenessOf("dome")
	if l.Interval != 2*time.Second || l.Last != noon.Add(39*time.Second) || e.Seq != 39 || !ok {
		t.Errorf("its rhythm is %+v, the last broadcast %+v", l, e)
	}
}

func TestAnInterruptionIsNoSpaceOfTheRhythm(t *testing.T) {
	s := New(Limits{})
	at, seq := noon, uint64(0)
	for range 10 {
		for range 3 {
			at, seq = at.Add(time.Second), seq+1
			r := say("dome", seq, `{}`)
			r.Time = at
			s.Note(r)
		}
		s.Interrupt()
		at = at.Add(time.Hour / 2)
	}
	if l, _, _ := s.LivenessOf("dome"); l.Interval != time.Second {
		t.Errorf("its rhythm is %v", l.Interval)
	}
}

func TestAnActorIsWrittenWithItsRhythmAndItsConsumer(t *testing.T) {
	s := New(Limits{})
	for n := range 5 {
		r := say("dome", uint64(n+1), `{}`)
		r.Time = noon.Add(time.Duration(n) * time.Second)
		if changed := s.Note(r); changed != (n == 4) {
			t.Errorf("after %d broadcasts the rhythm has changed: %v", n+1, changed)
		}
	}
	p := NewEncoder(nil, nil, 0, func(text []byte) []byte { return text })
	for presence, want := range map[Presence]string{Unknown: "null", Absent: "false", Present: "true"} {
		if changed := s.SetConsumer("dome", presence); changed == s.SetConsumer("dome", presence) && presence != Unknown {
			t.Error("it has not changed")
		}
		head := fmt.Sprintf(`"time": "2026-11-21T12:00:04.123456+00:00", "code": "i", "seq": 5, "interval_ms": 1000, "consumer": %s, "keywords": `, want)
		if got := string(s.Append(nil, nil)); got != `{"dome": {`+head+`{}}}` {
			t.Errorf("got %s", got)
		}
		if got := string(s.AppendActors(nil)); got != `[{"name": "dome", `+head+`0}]` {
			t.Errorf("got %s", got)
		}
		p.Start(s) // a snapshot that is kept is brought up to date
		for !p.Step(func(int) bool { return false }) {
		}
		if got := string(p.Parts()[0]); got != `"dome": {`+head+`{}}` {
			t.Errorf("the kept snapshot has %s", got)
		}
	}
	if s.SetConsumer("mount", Present) {
		t.Error("an actor that was never heard has a consumer")
	}
}

func TestTheRhythmOfWhatIsHiddenIsNotTold(t *testing.T) {
	s := New(Limits{})
	s.KeepNames()
	for n := range 10 {
		r := say("dome", uint64(n+1), `{"open": true}`)
		r.Time = noon.Add(time.Duration(n) * time.Second)
		if n > 0 {
			r.Body = []byte(`{"secret": 1}`)
		}
		s.Note(r)
	}
	head := `"time": "` + noonText + `", "code": "i", "seq": 1`
	if text, _ := s.visible(hiding("secret")); text != `{"dome": {`+head+unheard+`, "keywords": {"open": {"value": true, `+head+`}}}}` {
		t.Errorf("got %s", text)
	}
	if text, _ := s.visible(hiding("another")); !strings.Contains(text, `"interval_ms": 1000`) {
		t.Errorf("got %s", text)
	}
}

func BenchmarkRhythm(b *testing.B) {
	var r rhythm
	at := noon
	b.ReportAllocs()
	for b.Loop() {
		at = at.Add(time.Second)
		r.note(at)
	}
}
