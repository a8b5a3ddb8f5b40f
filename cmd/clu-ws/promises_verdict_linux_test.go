package main

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/clu-ws/clu-ws/internal/testkit"
)

// eventRun is an event that has been played.
type eventRun struct {
	row            string
	started, ended time.Time
	earliest       time.Time // when the event before it began, if that had only just ended; else when this did
	down           time.Time // when the broker or the bridges were down, or zero
	first, next    int       // the numbers of the replies that were sent meanwhile
	gapCounts      map[string]gapCounts
}

// gapCounts is how many gaps a client had been told, and its bridge had logged, before and after an event.
type gapCounts struct{ toldBefore, toldAfter, loggedBefore, loggedAfter int }

// run has an event happen, and waits until it is over for all clients.
func (s *promiseHarness) run(t *testing.T, e event) {
	t.Helper()
	s.down = time.Time{}
	sc := eventRun{row: e.row, started: time.Now(), first: len(s.source.Outcomes()), gapCounts: map[string]gapCounts{}}
	if sc.earliest = sc.started; len(s.ran) > 0 {
		if last := s.ran[len(s.ran)-1]; sc.started.Sub(last.ended) < slack {
			sc.earliest = last.started
		}
	}
	for _, b := range s.bridges {
		sc.gapCounts[b.column] = gapCounts{toldBefore: b.recorder.gaps(), loggedBefore: b.logged()}
	}
	e.disturb(t, s)
	s.awaitNext(t)
	sc.next, sc.ended, sc.down = len(s.source.Outcomes()), time.Now(), s.down
	s.awaitNext(t) // replies come in order: any of the scene's that has not come is missing
	for _, b := range s.bridges {
		r := sc.gapCounts[b.column]
		r.toldAfter, r.loggedAfter = b.recorder.gaps(), b.logged()
		sc.gapCounts[b.column] = r
	}
	s.ran = append(s.ran, sc)
}

// check compares what has become of the replies with the table.
func (s *promiseHarness) check(t *testing.T, table map[string]map[string]string) {
	khepri := s.node.Khepri(t)
	s.source.Stop()
	fates := s.source.Outcomes()
	for _, b := range s.bridges {
		heard, gaps := b.recorder.all()
		for _, sc := range s.ran {
			t.Run(sc.row+"/"+b.column, func(t *testing.T) {
				cell := table[sc.row][b.column]
				holds := cellChecks[cell]
				if holds == nil {
					t.Fatalf("nothing is known of the claim %q", cell)
				}
				seen := sc.gapCounts[b.column]
				v := verdict{eventRun: sc, khepri: khepri, gaps: gaps[seen.toldBefore:seen.toldAfter], logged: seen.loggedAfter - seen.loggedBefore}
				v.find(heard, fates)
				if err := holds(v); err != nil {
					t.Errorf("docs/operating.md says %q, but %v: %v\n%s", cell, err, v, b.Output.Tail())
				}
				t.Log(v)
			})
		}
	}
}

// verdict is what has become of the replies of a scene at one client.
type verdict struct {
	eventRun
	khepri     bool
	confirmed  int
	covered    int // confirmed replies that were sent within a gap that was told
	missing    int
	unreported int       // missing replies that no gap covers
	from, to   time.Time // when the first and the last missing reply was sent
	duplicated int
	reordered  int
	gaps       []toldGap
	logged     int
}

// find looks for the scene's replies among those that were heard.
func (v *verdict) find(heard []int, fates []testkit.Outcome) {
	times, previous := map[int]int{}, -1
	for _, n := range heard {
		if n < v.first || n >= v.next || fates[n].Settled.IsZero() {
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
		f := fates[n]
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
		text += fmt.Sprintf(" (sent from %v to %v), %d of them untold", since(v.from), since(v.to), v.unreported)
	}
	text += fmt.Sprintf("; %d doubled, %d out of order; %d gaps logged", v.duplicated, v.reordered, v.logged)
	for _, g := range v.gaps {
		if g.newEpoch {
			text += ", a new epoch told"
		} else {
			text += fmt.Sprintf(", told from %v to %v", since(g.from), since(g.to))
		}
	}
	if !v.down.IsZero() {
		text += fmt.Sprintf("; down at %v", since(v.down))
	}
	return text
}

// cellChecks are the cells of the table, each with what must be so for it to be true.
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
			return errors.New("too many replies came twice")
		}
		return v.newEpoch()
	},
}

// prefetch is how many replies may be on their way to a bridge.
const prefetch = 200

// keptByTheBroker is what becomes of replies when the broker restarts.
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
		return errors.New("more replies are missing than can have been on their way")
	}
	return v.coherent()
}

func (v verdict) kept() error {
	switch {
	case v.missing > 0:
		return errors.New("replies are missing")
	case v.duplicated+v.reordered > 0:
		return errors.New("replies are doubled or out of order")
	case len(v.gaps)+v.logged > 0:
		return errors.New("a gap was told")
	}
	return nil
}

// fewReplies replies may all arrive although they were sent within a gap that was told: it begins a little early.
const fewReplies = 100

func (v verdict) lostAndReported() error {
	if v.missing == 0 && v.covered > fewReplies {
		return fmt.Errorf("none is missing of %d replies that were sent within the gap", v.covered)
	}
	return v.coherent()
}

// slack is by how much a gap may be longer than its event: what a bridge reads late, for want of CPU, proves
// nothing, and what a policy has dropped is told when no more comes. Where the event before ended shortly before
// this one, nothing may have been proved in between, and the gap begins in that one.
const slack = 10 * time.Second

// coherent wants every missing reply in a gap that was told, logged, and no longer than the event.
func (v verdict) coherent() error {
	for _, g := range v.gaps {
		if g.newEpoch {
			return errors.New("the epoch is a new one")
		}
		if g.from.Before(v.earliest.Add(-slack)) || g.to.After(v.ended.Add(slack)) {
			return errors.New("a gap that was told is longer than the event")
		}
	}
	switch {
	case len(v.gaps) == 0 || v.logged == 0:
		return errors.New("no gap was told, or none was logged")
	case v.unreported > 0:
		return errors.New("replies are missing outside of the gaps that were told")
	case v.duplicated+v.reordered > 0:
		return errors.New("replies are doubled or out of order")
	}
	return nil
}

func (v verdict) newEpoch() error {
	if len(v.gaps) != 1 || !v.gaps[0].newEpoch {
		return errors.New("no new epoch was told")
	}
	return nil
}
