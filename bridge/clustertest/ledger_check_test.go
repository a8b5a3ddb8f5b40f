//go:build cluster

package clustertest

import (
	"testing"
	"time"
)

// TestTheLedgerFindsWhatIsWrong has one publisher whose reply n was sent and confirmed n seconds after
// the start. Its reply 4 was not confirmed.
func TestTheLedgerFindsWhatIsWrong(t *testing.T) {
	start := time.Date(2026, 11, 21, 3, 38, 40, 0, time.UTC)
	at := func(second float64) time.Time { return start.Add(time.Duration(second * float64(time.Second))) }
	p := &publisher{}
	for n := range 8 {
		p.fates = append(p.fates, fate{sent: at(float64(n)), settled: at(float64(n) + 0.1), accepted: n != 4})
	}
	// A reply has the number seq in the bridge's epoch, which here is its own number plus an
	// offset.
	replies := func(offset uint64, numbers ...int) (events []event) {
		for i, n := range numbers {
			events = append(events, event{kind: aReply, n: n, seq: offset + uint64(i) + 1})
		}
		return events
	}
	gap := func(from, to float64) event { return event{kind: aGap, from: at(from), to: at(to)} }

	for _, c := range []struct {
		what                       string
		events                     []event
		lost, doubled, late, fault int
	}{
		{what: "all is well", events: replies(0, 0, 1, 2, 3, 4, 5, 6, 7)},
		{what: "what was not confirmed need not come", events: replies(0, 0, 1, 2, 3, 5, 6, 7)},
		{what: "what was not confirmed has no order", events: replies(0, 0, 1, 2, 3, 5, 4, 6, 7)},
		{what: "two are lost", events: replies(0, 0, 1, 5, 6, 7), lost: 2},
		{what: "two are lost in a gap", events: append(replies(0, 0, 1, 5, 6, 7), gap(1.5, 3.5))},
		{what: "a gap ends too early", events: append(replies(0, 0, 1, 5, 6, 7), gap(1.5, 2.5)), lost: 1},
		{what: "a gap begins too late", events: append(replies(0, 0, 1, 5, 6, 7), gap(2.5, 3.5)), lost: 1},
		{what: "the last is lost", events: replies(0, 0, 1, 2, 3, 5, 6), lost: 1},
		{what: "one comes again", events: replies(0, 0, 1, 2, 2, 3, 5, 6, 7), doubled: 1},
		{what: "one comes too late", events: replies(0, 0, 2, 1, 3, 5, 6, 7), late: 1},
		{what: "a number comes again", events: append(replies(0, 0, 1, 2, 3), replies(3, 5, 6, 7)...), fault: 1},
		{what: "the numbers begin anew", events: append(append(replies(9, 0, 1), event{kind: anEpoch}), replies(0, 3, 5, 6, 7)...)},
		{what: "the numbers begin anew, with what was heard", events: append(append(replies(9, 0, 1, 2), event{kind: anEpoch}), replies(0, 1, 2, 3, 5, 6, 7)...)},
		{what: "one is lost after the numbers began anew", events: append(append(replies(9, 0, 1), event{kind: anEpoch}), replies(0, 2, 5, 6, 7)...), lost: 1},
		{what: "nothing is heard after the numbers began anew", events: append(replies(9, 0, 1), event{kind: anEpoch})},
	} {
		t.Run(c.what, func(t *testing.T) {
			l := newLedger([]*publisher{p}, c.events)
			var lost, doubled, late int
			for n, f := range p.fates {
				r := l.replies[0][n]
				doubled += r.doubled
				late += count(r.late)
				lost += count(f.accepted && r.epoch == 0 && !l.told(0, n, f))
			}
			if lost != c.lost || doubled != c.doubled || late != c.late || l.faults != c.fault {
				t.Errorf("%d lost, %d doubled, %d late, %d faults; want %d, %d, %d, %d", lost, doubled, late, l.faults, c.lost, c.doubled, c.late, c.fault)
			}
		})
	}
}
