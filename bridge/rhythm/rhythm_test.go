package rhythm

import (
	"math/rand/v2"
	"testing"
	"time"
)

// noon is when the tests' broadcasts begin.
var noon = time.Date(2026, 11, 21, 12, 0, 0, 123456789, time.UTC)

// rhythmOf returns the rhythm of broadcasts with these spaces between them, in milliseconds.
func rhythmOf(spaces ...int) time.Duration {
	var r Rhythm
	at := noon
	r.Note(at)
	for _, ms := range spaces {
		at = at.Add(time.Duration(ms) * time.Millisecond)
		r.Note(at)
	}
	return r.Interval()
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
	var r Rhythm
	at, changes := noon, 0
	play := func(n, ms int) {
		for range n {
			at = at.Add(time.Duration(ms) * time.Millisecond)
			if r.Note(at) {
				changes++
			}
		}
	}
	for _, c := range []struct{ n, ms, changes int }{{20, 1000, 1}, {20, 1249, 1}, {20, 1260, 2}, {20, 1000, 2}, {20, 940, 3}} {
		if play(c.n, c.ms); changes != c.changes {
			t.Errorf("with %d ms, the rhythm has changed %d times, want %d; it is %v", c.ms, changes, c.changes, r.Interval())
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

func TestAnActorIsSilentAfterFourTimesItsRhythm(t *testing.T) {
	for interval, want := range map[time.Duration]time.Duration{
		100 * time.Millisecond: 5 * time.Second, time.Second: 5 * time.Second, 2 * time.Second: 8 * time.Second, time.Minute: 4 * time.Minute,
	} {
		if got := SilentAfter(interval); got != want {
			t.Errorf("with a rhythm of %v it is silent after %v, want %v", interval, got, want)
		}
	}
}

func BenchmarkRhythm(b *testing.B) {
	var r Rhythm
	at := noon
	b.ReportAllocs()
	for b.Loop() {
		at = at.Add(time.Second)
		r.Note(at)
	}
}
