package soak

import (
	"strings"
	"testing"
	"time"

	"github.com/clu-ws/clu-ws/internal/testkit"
)

func TestTheLedgerSeesEachFault(t *testing.T) {
	t.Parallel()
	accepted := func(n int) testkit.Outcome { return testkit.Outcome{Accepted: n != 5} } // nobody knows what became of 5
	for _, c := range []struct {
		name  string
		shown []int
		gaps  int
		lossy bool
		want  string // "" is none
	}{
		{"all is well", []int{0, 1, 2, 3, 4, 5, 6, 7}, 0, false, ""},
		{"one that was never confirmed is missing", []int{0, 1, 2, 3, 4, 6, 7}, 0, false, ""},
		{"one that was never confirmed is overtaken", []int{0, 1, 2, 3, 4, 6, 5, 7}, 0, false, ""},
		{"a hole", []int{0, 1, 4, 5, 6, 7}, 0, false, "2 broadcasts are missing, from 2 to 3"},
		{"the last one is missing", []int{0, 1, 2, 3, 4, 5, 6}, 0, false, "1 broadcasts are missing, from 7 to 7"},
		{"a double", []int{0, 1, 2, 2, 3, 4, 5, 6, 7}, 0, false, "the broadcast 2 is shown 2 times"},
		{"an unknown one twice", []int{0, 1, 2, 3, 4, 5, 6, 5, 7}, 0, false, "the broadcast 5 is shown 2 times"},
		{"out of order", []int{0, 1, 3, 2, 4, 5, 6, 7}, 0, false, "the broadcast 2 is out of order"},
		{"a gap for no reason", []int{0, 1, 2, 3, 4, 5, 6, 7}, 1, false, "nothing can be missing"},
		{"a gap hides no hole while nothing is lost", []int{0, 1, 4, 5, 6, 7}, 1, false, "are missing"},
		{"a loss that is told", []int{0, 1, 6, 7}, 1, true, ""},
		{"a loss that is not told", []int{0, 1, 6, 7}, 0, true, "no gap was told"},
		{"a double after a loss", []int{0, 1, 6, 6, 7}, 1, true, "shown 2 times"},
	} {
		l := newLedger(1)
		l.gaps = c.gaps
		for _, n := range c.shown {
			l.show(n)
		}
		wrong := strings.Join(l.check(8, c.lossy, accepted), "; ")
		if (c.want == "") != (wrong == "") || !strings.Contains(wrong, c.want) {
			t.Errorf("%s: it finds %q, want %q", c.name, wrong, c.want)
		}
	}
}

func TestTheLedgerRemembersWhatWasChecked(t *testing.T) {
	t.Parallel()
	accepted := func(int) testkit.Outcome { return testkit.Outcome{Accepted: true} }
	l := newLedger(2)
	for _, n := range []int{0, 2, 4} {
		l.show(n)
	}
	if wrong := l.check(5, false, accepted); len(wrong) > 0 {
		t.Error(wrong)
	}
	for _, n := range []int{4, 6, 7} {
		l.show(n)
	}
	wrong := strings.Join(l.check(8, false, accepted), "; ")
	for _, want := range []string{"the broadcast 4 comes long after", "the broadcast 7 is not selected"} {
		if !strings.Contains(wrong, want) {
			t.Errorf("it finds %q, want %q", wrong, want)
		}
	}
}

func TestWhatGrowsWithoutEndIsALeak(t *testing.T) {
	t.Parallel()
	samples := []sample{{Goroutines: 10}, {Goroutines: 500}, {Goroutines: 11}, {Goroutines: 29}}
	if wrong := grown(samples); len(wrong) > 0 {
		t.Errorf("what comes and goes is no leak: %v", wrong)
	}
	samples = append(samples, sample{Goroutines: 31}, sample{Goroutines: 40})
	if wrong := grown(samples); len(wrong) != 1 || !strings.Contains(wrong[0], "goroutines") {
		t.Errorf("it finds %v", wrong)
	}
}

func TestADisturbanceReachesALittleBeyondItsEnds(t *testing.T) {
	t.Parallel()
	at := func(seconds int) time.Time { return time.Unix(int64(seconds), 0) }
	spans := []span{{from: at(100), to: at(110)}, {from: at(200)}}
	for _, c := range []struct {
		from, to int
		want     bool
	}{{90, 97, false}, {90, 99, true}, {111, 120, true}, {113, 120, false}, {190, 197, false}, {300, 301, true}} {
		if got := overlaps(spans, at(c.from), at(c.to)); got != c.want {
			t.Errorf("from %d to %d: %t", c.from, c.to, got)
		}
	}
}
