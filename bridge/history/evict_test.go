package history

import (
	"fmt"
	"math"
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
	if tight := fastest(rounds + full); tight > 60*roomy {
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
