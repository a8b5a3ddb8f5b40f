package problem

import "time"

// How often changes are told, for each actor. That a problem was said again is told less often than
// that it is new, or is one no longer.
const (
	tellEvery  = 250 * time.Millisecond
	countEvery = time.Second
)

// sweepEvery is how often it is looked at what only time changes.
const sweepEvery = time.Second

// maxPause is the longest time between two looks after which silence still means something: after a
// longer one, the process stood still itself.
const maxPause = 5 * time.Second

// changed notes that the problems of an actor have changed; minor is a change of counts and times
// only. mu is held.
func (t *Tracker) changed(a *actor, minor bool) {
	a.quietUntil = time.Time{}
	if !t.live {
		return
	}
	every := tellEvery
	if minor {
		every = countEvery
	}
	due := a.told.Add(every)
	if _, waits := t.pending[a]; !waits || due.Before(a.due) {
		a.due = due
		if len(t.pending) == 0 || due.Before(t.due) {
			t.due = due
		}
		t.pending[a] = struct{}{}
	}
	if !a.due.After(t.clock) {
		t.tellNow(a)
	}
}

// tellNow tells of the changes of an actor once mu is free.
func (t *Tracker) tellNow(a *actor) {
	delete(t.pending, a)
	a.told = t.clock
	t.tell = append(t.tell, a.name)
}

// sweepIfDue looks at what only time changes, if that was not done lately. mu is held.
func (t *Tracker) sweepIfDue() {
	if t.clock.Sub(t.swept) >= sweepEvery {
		t.sweep()
	}
}

// sweep raises what is due, ends what is over, and forgets what is no longer needed. mu is held.
func (t *Tracker) sweep() {
	now := t.clock
	if t.live && !t.swept.IsZero() && now.Sub(t.swept) > maxPause {
		t.quietSince = now
	}
	t.swept = now
	for _, c := range t.conditions {
		t.raiseIfDue(c, now)
	}
	for _, a := range t.actors {
		if !now.Before(a.quietUntil) {
			t.sweepActor(a)
		}
	}
	t.waits = t.anyWaits()
	t.tellDue()
}

// sweepActor does for an actor what is due, and finds out when something will be again.
func (t *Tracker) sweepActor(a *actor) {
	until := t.listen(&a.silence)
	t.reviewSilence(a)
	for _, e := range a.problems {
		if e.over(t.clock) {
			t.remove(a, e)
		} else {
			until = earlier(until, e.listedUntil())
		}
	}
	until = earlier(until, a.forgetAcks(t.clock))
	a.quietUntil = until
	if _, waits := t.pending[a]; len(a.problems) == 0 && len(a.acks) == 0 && a.silence.unknown() {
		if waits {
			a.quietUntil = time.Time{}
		} else {
			delete(t.actors, a.name)
		}
	}
}

func earlier(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}

// tellDue tells of the changes that are due. mu is held.
func (t *Tracker) tellDue() {
	t.due = t.clock.Add(time.Hour)
	for a := range t.pending {
		if !a.due.After(t.clock) {
			t.tellNow(a)
		} else if a.due.Before(t.due) {
			t.due = a.due
		}
	}
}

// arm sets the timer for the next change that is to be told, or the next sweep. mu is held.
func (t *Tracker) arm() {
	if t.closed || !t.live || len(t.actors) == 0 && !t.waits {
		return
	}
	at := t.clock.Add(sweepEvery)
	if len(t.pending) > 0 && t.due.Before(at) {
		at = t.due
	}
	if t.stopTimer != nil {
		if !at.Before(t.timerAt) {
			return
		}
		t.stopTimer()
	}
	t.timerAt = at
	t.stopTimer = t.cfg.After(max(at.Sub(t.clock), time.Millisecond), t.tick)
}

// anyWaits reports whether a condition holds, and not long enough yet.
func (t *Tracker) anyWaits() bool {
	for _, c := range t.conditions {
		if c.holds && c.raised == nil {
			return true
		}
	}
	return false
}

// tick is called by the timer.
func (t *Tracker) tick() {
	defer t.lock()()
	t.stopTimer = nil
	t.advanceToNow()
	t.tellDue()
	t.sweepIfDue()
}
