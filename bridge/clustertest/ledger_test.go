//go:build cluster

package clustertest

import (
	"fmt"
	"slices"
	"strings"
)

// ledger is what one client received, by publisher and number.
type ledger struct {
	replies [][]heard
	gaps    []event
	faults  int
	texts   []string // of the first faults
	lastRun run
}

// heard is what a client knows about a reply. An epoch is the time between two connections that
// could not resume: a reply that comes in two epochs is not a duplicate.
type heard struct {
	epoch   int  // in which it came last; 0 if it never did
	doubled int  // how often it came again in the same epoch
	late    bool // it came behind a later one; both were confirmed
	skipped bool // it is among those that the client may have missed because it could not resume
}

// run is a run of lost replies.
type run struct {
	publisher, last int
	text            *string // among the texts; nil without a run
}

func newLedger(publishers []*publisher, events []event) *ledger {
	l := &ledger{texts: make([]string, 0, maxTexts)}
	for _, p := range publishers {
		l.replies = append(l.replies, make([]heard, len(p.fates)))
	}
	highest := slices.Repeat([]int{-1}, len(publishers))   // in all epochs
	confirmed := slices.Repeat([]int{-1}, len(publishers)) // the highest of those, in this epoch
	began := slices.Repeat([]bool{true}, len(publishers))  // a reply came in this epoch
	epoch, seq := 1, uint64(0)
	skip := func(p, to int) {
		for n := highest[p] + 1; n < to; n++ {
			l.replies[p][n].skipped = true
		}
	}
	for _, e := range events {
		switch e.kind {
		case aGap:
			l.gaps = append(l.gaps, e)
		case anEpoch:
			epoch, seq = epoch+1, 0
			for p := range publishers {
				confirmed[p], began[p] = -1, false
			}
		case aReply:
			p, n := e.publisher, e.n
			if e.seq <= seq {
				l.fault("seq %d came behind %d", e.seq, seq)
			}
			seq = max(seq, e.seq)
			if !began[p] {
				skip(p, n)
				began[p] = true
			}
			r := &l.replies[p][n]
			if r.epoch == epoch {
				r.doubled++
			}
			r.epoch = epoch
			if publishers[p].fates[n].accepted {
				r.late = r.late || n < confirmed[p]
				confirmed[p] = max(confirmed[p], n)
			}
			highest[p] = max(highest[p], n)
		}
	}
	for p := range publishers {
		if !began[p] {
			skip(p, len(l.replies[p]))
		}
	}
	return l
}

// told reports whether the client knows that a reply may be missing: whether the reply was on its
// way to the queue, between its sending and its confirm, during a gap.
func (l *ledger) told(p, n int, f fate) bool {
	return l.replies[p][n].skipped || slices.ContainsFunc(l.gaps, func(g event) bool {
		return !f.settled.Before(g.from) && !f.sent.After(g.to)
	})
}

// maxTexts is how many faults are reported in full.
const maxTexts = 40

func (l *ledger) fault(format string, args ...any) {
	l.faults++
	text := fmt.Sprintf(format, args...)
	if len(l.texts) == maxTexts { // the last one is that which came last
		l.texts[maxTexts-1] = text
		return
	}
	l.texts = append(l.texts, text)
}

// lost records a reply that was lost without a gap. A run of them shares one text.
func (l *ledger) lost(p, n int, f fate) {
	if l.lastRun.publisher == p && l.lastRun.text != nil && n <= l.lastRun.last+50 {
		l.faults++
		begin, _, _ := strings.Cut(*l.lastRun.text, ", and on to")
		*l.lastRun.text = fmt.Sprintf("%s, and on to %d (sent %s, confirmed %s)", begin, n, clock(f.sent), clock(f.settled))
	} else {
		l.fault("publisher %d's %d is lost untold (sent %s, confirmed %s)", p, n, clock(f.sent), clock(f.settled))
		l.lastRun.publisher, l.lastRun.text = p, &l.texts[len(l.texts)-1]
	}
	l.lastRun.last = n
}
