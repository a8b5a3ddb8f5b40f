package soak

import (
	"fmt"

	"github.com/clu-ws/clu-ws/internal/testkit"
)

// ledger notes which broadcasts a subscription has shown since the last check.
type ledger struct {
	step    int // it selects every step-th broadcast
	checked int // all before this one are checked
	last    int
	shown   map[int]int    // how often
	back    []int          // those that came after a later one
	gaps    int            // told since the last check
	missing int            // in all, of those that were lost and told
	strays  map[int]string // what should not have come at all
}

func newLedger(step int) *ledger {
	return &ledger{step: step, last: -1, shown: map[int]int{}, strays: map[int]string{}}
}

// show notes a broadcast.
func (l *ledger) show(n int) {
	switch {
	case n%l.step != 0:
		l.strays[n] = "is not selected"
	case n < l.checked:
		l.strays[n] = "comes long after it was sent, or twice"
	case n < l.last:
		l.back = append(l.back, n)
	}
	l.shown[n]++
	l.last = max(l.last, n)
}

// reached reports whether a broadcast, or a later one, was shown.
func (l *ledger) reached(n int) bool { return l.last >= n-n%l.step }

// check returns what is wrong with the broadcasts before end, and begins anew with those from there on. If lossy is set, the
// broker may have lost some, and a gap must tell it. A broadcast that was never confirmed may be missing, and may be overtaken.
func (l *ledger) check(end int, lossy bool, outcome func(n int) testkit.Outcome) (wrong []string) {
	fault := func(format string, args ...any) { wrong = append(wrong, fmt.Sprintf(format, args...)) }
	for n, what := range l.strays {
		fault("the broadcast %d %s", n, what)
	}
	for _, n := range l.back {
		if outcome(n).Accepted {
			fault("the broadcast %d is out of order", n)
		}
	}
	missing, first, last := 0, 0, 0
	for n := l.checked + (l.step-l.checked%l.step)%l.step; n < end; n += l.step {
		if times := l.shown[n]; times > 1 {
			fault("the broadcast %d is shown %d times", n, times)
		} else if times == 0 && outcome(n).Accepted {
			if missing == 0 {
				first = n
			}
			missing, last = missing+1, n
		}
	}
	switch {
	case missing > 0 && !lossy:
		fault("%d broadcasts are missing, from %d to %d; %d gaps were told", missing, first, last, l.gaps)
	case missing > 0 && l.gaps == 0:
		fault("%d broadcasts are missing, from %d to %d, and no gap was told", missing, first, last)
	case l.gaps > 0 && !lossy:
		fault("%d gaps are told before the broadcast %d, and nothing can be missing", l.gaps, end)
	}
	l.missing += missing
	l.checked, l.back, l.gaps = end, nil, 0
	clear(l.shown)
	clear(l.strays)
	return wrong
}
