package main

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/clu-ws/clu-ws/internal/testkit"
)

// eventRun is an event that has been run.
type eventRun struct {
	row            string
	started, ended time.Time
	earliest       time.Time // the start of the previous event if that had just ended, else of this one
	down           time.Time // when the broker or the bridges were down, or zero
	next           int       // the number of the first reply that was sent after it
	seen           map[string]seen
}

// seen is what had come to a client before an event, and how many gaps were reported to it and logged by its bridge, before
// and after.
type seen struct {
	first                                            int // the number of the first reply that had not come
	toldBefore, toldAfter, loggedBefore, loggedAfter int
}

// run runs an event, and waits until all clients are past it.
func (s *promiseHarness) run(t *testing.T, e event) {
	t.Helper()
	s.down = time.Time{}
	sc := eventRun{row: e.row, started: time.Now(), seen: map[string]seen{}}
	if sc.earliest = sc.started; len(s.ran) > 0 {
		if last := s.ran[len(s.ran)-1]; sc.started.Sub(last.ended) < slack {
			sc.earliest = last.started
		}
	}
	for _, b := range s.bridges {
		sc.seen[b.column] = seen{first: b.recorder.next(), toldBefore: b.recorder.gaps(), loggedBefore: b.logged()}
	}
	e.disturb(t, s)
	s.awaitNext(t)
	sc.next, sc.ended, sc.down = s.source.Sent(), time.Now(), s.down
	s.awaitNext(t) // replies arrive in order: one of this event that has not arrived is missing
	s.awaitTold(sc)
	for _, b := range s.bridges {
		r := sc.seen[b.column]
		r.toldAfter, r.loggedAfter = b.recorder.gaps(), b.logged()
		sc.seen[b.column] = r
	}
	s.ran = append(s.ran, sc)
}

// awaitTold gives the bridges time to tell what is missing: dead letters are read once a second, and a broker may notice half a
// minute later that a connection is gone, on a busy machine later still.
func (s *promiseHarness) awaitTold(sc eventRun) {
	untold := func(b *durableBridge) bool {
		before := sc.seen[b.column]
		received, gaps := b.recorder.all()
		v := verdict{eventRun: sc, first: before.first, gaps: gaps[before.toldBefore:], logged: b.logged() - before.loggedBefore}
		v.find(received, s.source.Outcomes())
		return v.unreported > 0 || (len(v.gaps) > 0) != (v.logged > 0) && v.newEpoch() != nil
	}
	for end := time.Now().Add(testkit.Patience); slices.ContainsFunc(s.bridges, untold) && time.Now().Before(end); {
		<-time.After(100 * time.Millisecond)
	}
}

// check compares what happened to the replies with the table.
func (s *promiseHarness) check(t *testing.T, table map[string]map[string]string) {
	khepri := s.node.Khepri(t)
	s.source.Stop()
	outcomes := s.source.Outcomes()
	for _, b := range s.bridges {
		received, gaps := b.recorder.all()
		for _, sc := range s.ran {
			t.Run(sc.row+"/"+b.column, func(t *testing.T) {
				cell := table[sc.row][b.column]
				holds := cellChecks[cell]
				if holds == nil {
					t.Fatalf("there is no check for the cell %q", cell)
				}
				seen := sc.seen[b.column]
				v := verdict{
					eventRun: sc, first: seen.first, khepri: khepri,
					gaps: gaps[seen.toldBefore:seen.toldAfter], logged: seen.loggedAfter - seen.loggedBefore,
				}
				v.find(received, outcomes)
				if err := holds(v); err != nil {
					t.Errorf("docs/operating.md says %q, but %v: %v\n%s", cell, err, v, b.Output.Tail())
				}
				t.Log(v)
			})
		}
	}
}

// verdict is what happened to the replies of one event at one client.
type verdict struct {
	eventRun
	first      int       // the number of the first reply that may be missing
	lastCame   time.Time // when the one before it was sent: a broker that lacks CPU may have been behind
	khepri     bool
	confirmed  int
	covered    int // confirmed replies that were sent within a reported gap
	missing    int
	unreported int       // missing replies that no gap covers
	from, to   time.Time // when the first and the last missing reply was sent
	duplicated int
	reordered  int
	gaps       []toldGap
	logged     int
}

// find looks for the event's replies among those that were received.
func (v *verdict) find(received []int, outcomes []testkit.Outcome) {
	if v.first > 0 {
		v.lastCame = outcomes[v.first-1].Sent
	}
	times, previous := map[int]int{}, -1
	for _, n := range received {
		if n < v.first || n >= v.next || outcomes[n].Settled.IsZero() {
			continue // a reply that was not confirmed may overtake those of the source's next connection
		}
		if times[n]++; times[n] > 1 {
			v.duplicated++
		} else if n < previous {
			v.reordered++
		}
		previous = n
	}
	for n := v.first; n < v.next; n++ {
		f := outcomes[n]
		if f.Settled.IsZero() {
			continue
		}
		v.confirmed++
		within := slices.ContainsFunc(v.gaps, func(g toldGap) bool { return g.newEpoch || g.covers(f.Sent, f.Settled) })
		if within {
			v.covered++
		}
		if times[n] > 0 {
			continue
		}
		if v.missing++; v.missing == 1 {
			v.from = f.Sent
		}
		v.to = f.Sent
		if !within {
			v.unreported++
		}
	}
}

func (v verdict) String() string {
	since := func(at time.Time) time.Duration { return at.Sub(v.started).Round(time.Millisecond) }
	text := fmt.Sprintf("%d replies confirmed in %v, %d missing", v.confirmed, since(v.ended), v.missing)
	if v.missing > 0 {
		text += fmt.Sprintf(" (sent from %v to %v), %d of them unreported", since(v.from), since(v.to), v.unreported)
	}
	text += fmt.Sprintf("; %d duplicated, %d out of order; %d gaps logged", v.duplicated, v.reordered, v.logged)
	for _, g := range v.gaps {
		if g.newEpoch {
			text += ", a new epoch reported"
		} else {
			text += fmt.Sprintf(", reported from %v to %v", since(g.from), since(g.to))
		}
	}
	if !v.down.IsZero() {
		text += fmt.Sprintf("; down at %v", since(v.down))
	}
	return text
}

// cellChecks are the texts of the cells, each with the check that they are true.
var cellChecks = map[string]func(v verdict) error{
	"kept":              verdict.kept,
	"lost, reported":    verdict.lostAndReported,
	"lost, reported ⁴":  verdict.lostAndReported,
	"kept ¹":            verdict.keptByTheBroker,
	"kept ²":            verdict.keptButForUnread,
	"lost, new epoch ³": verdict.newEpoch,
	"kept, new epoch ³": func(v verdict) error {
		if v.missing > 0 && !v.to.Before(v.down) {
			return errors.New("replies are missing that were sent while there was no bridge")
		}
		if v.duplicated > prefetch {
			return errors.New("too many replies were received twice")
		}
		return v.newEpoch()
	},
}

// prefetch is how many replies may be unacknowledged at a bridge.
const prefetch = 200

// keptByTheBroker checks the replies of a broker that restarts.
func (v verdict) keptByTheBroker() error {
	switch {
	case v.khepri:
		return v.kept()
	case v.missing > 0 && v.from.Before(v.down):
		return errors.New("replies are missing that were sent before the broker was down")
	}
	return v.coherent()
}

func (v verdict) keptButForUnread() error {
	switch {
	case len(v.gaps) == 0:
		return v.kept()
	case v.missing > prefetch:
		return errors.New("more replies are missing than can have been unacknowledged")
	}
	return v.coherent()
}

func (v verdict) kept() error {
	switch {
	case v.missing > 0:
		return errors.New("replies are missing")
	case v.duplicated+v.reordered > 0:
		return errors.New("replies are duplicated or out of order")
	case len(v.gaps)+v.logged > 0:
		return errors.New("a gap was reported")
	}
	return nil
}

// fewReplies may all arrive although they were sent within a reported gap, which begins a little early.
const fewReplies = 100

func (v verdict) lostAndReported() error {
	if v.missing == 0 && v.covered > fewReplies {
		return fmt.Errorf("none is missing of %d replies that were sent within the gap", v.covered)
	}
	return v.coherent()
}

// slack is by how much a gap may be longer than its event: a bridge that lacks CPU reads late, and what a policy
// has dropped is reported once nothing more arrives. If the previous event ended shortly before this one, the gap
// may begin in that one.
const slack = 10 * time.Second

// noticing is by how much a gap may end after its event: what the broker had sent on a connection that has gone silent comes
// back once it has noticed that, which takes it half a minute.
const noticing = 30 * time.Second

// coherent checks that every missing reply is in a gap that was reported, logged, and no longer than the event.
func (v verdict) coherent() error {
	for _, g := range v.gaps {
		if g.newEpoch {
			return errors.New("the epoch is a new one")
		}
		if g.from.Before(earlier(v.earliest, v.lastCame).Add(-slack)) || g.to.After(v.ended.Add(noticing+slack)) {
			return errors.New("a reported gap is longer than the event")
		}
	}
	switch {
	case len(v.gaps) == 0 || v.logged == 0:
		return errors.New("no gap was reported, or none was logged")
	case v.unreported > 0:
		return errors.New("replies are missing outside the reported gaps")
	case v.duplicated+v.reordered > 0:
		return errors.New("replies are duplicated or out of order")
	}
	return nil
}

func earlier(a, b time.Time) time.Time {
	if b.IsZero() || a.Before(b) {
		return a
	}
	return b
}

func (v verdict) newEpoch() error {
	if len(v.gaps) != 1 || !v.gaps[0].newEpoch {
		return errors.New("no new epoch was reported")
	}
	return nil
}
