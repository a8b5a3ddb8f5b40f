package problem

import (
	"fmt"
	"strings"
	"time"

	"github.com/clu-ws/clu-ws/bridge/site"
)

// silence is what is known of an actor's life.
type silence struct {
	heard       time.Time
	seq         uint64        // of its last reply
	interval    time.Duration // its usual rhythm; 0 is none, or not known
	hadConsumer bool          // of its commands
	lost        bool          // it has none any more
	quiet       bool          // it has said nothing for too long
	raised      *entry
}

// silentKey is the key of the problem that an actor is silent.
const silentKey = "silent"

// minSilence is the shortest time after which an actor counts as silent.
const minSilence = 5 * time.Second

// noteHeard notes that an actor lives. mu is held.
func (t *Tracker) noteHeard(a *actor, r *Reply) {
	a.silence.heard, a.silence.seq = later(a.silence.heard, r.Heard), r.Seq
	if a.silence.quiet {
		a.silence.quiet, a.quietUntil = false, time.Time{}
	}
	if a.silence.raised != nil {
		t.reviewSilence(a)
	}
}

// listen notes that an actor is quiet, if it has said nothing for so long that it should have. It
// returns when to listen again.
func (t *Tracker) listen(s *silence) (again time.Time) {
	switch {
	case s.interval == 0 || s.quiet:
		return never
	case !t.live || !t.linked:
		return time.Time{}
	}
	again = later(s.heard, t.quietSince).Add(max(minSilence, 4*s.interval))
	if t.clock.After(again) {
		s.quiet = true
		return never
	}
	return again
}

// reviewSilence raises or ends the problem that an actor is silent. mu is held.
func (t *Tracker) reviewSilence(a *actor) {
	s := &a.silence
	switch e := s.raised; {
	case s.quiet || s.lost:
		text := s.text()
		switch {
		case e == nil || !e.Active:
			t.raiseSilence(a, text)
		case e.Text != text:
			e.Text = text
			t.changed(a, false)
		}
	case e != nil && e.Active:
		t.end(e, t.clock)
	}
}

func (t *Tracker) raiseSilence(a *actor, text string) {
	s := &a.silence
	if e := s.raised; e != nil { // it is listed as ended
		e.Text = text
		t.raiseAgain(e, s.heard, s.seq)
		return
	}
	s.raised = &entry{raised: s.seq, Problem: Problem{
		Actor: a.name, Key: silentKey, Kind: Silent, Level: site.Error, Text: text,
		Began: s.heard, Time: s.heard, Count: 1, Seq: s.seq, Active: true,
	}}
	t.list(a, s.raised)
}

// text says what is known of a silent actor.
func (s *silence) text() string {
	switch {
	case s.quiet && s.lost:
		return "silent, and nothing takes its commands any more: it seems to have stopped"
	case s.lost:
		return "nothing takes its commands any more: it seems to have stopped"
	}
	return fmt.Sprintf("silent: it usually broadcasts every %v", s.interval.Round(roundTo(s.interval)))
}

// roundTo returns how precisely a rhythm is told.
func roundTo(interval time.Duration) time.Duration {
	if interval < 10*time.Second {
		return 100 * time.Millisecond
	}
	return time.Second
}

// unknown reports whether nothing is known of how the actor lives.
func (s *silence) unknown() bool { return s.interval == 0 && !s.hadConsumer && s.raised == nil }

// Life is how alive an actor is.
type Life struct {
	Actor    string
	Heard    time.Time     // its last reply
	Seq      uint64        // of that
	Interval time.Duration // how often it usually broadcasts; 0 is not known, or not regularly
	// Consumer reports whether somebody takes its commands, if that is known.
	Consumer, Known bool
}

// NoteLives notes how alive actors are.
func (t *Tracker) NoteLives(all []Life) {
	defer t.lock()()
	t.advanceToNow()
	for i := range all {
		t.noteLife(&all[i])
	}
	t.sweepIfDue()
}

func (t *Tracker) noteLife(l *Life) {
	a := t.actors[l.Actor]
	if a == nil {
		// That an actor has no consumer means nothing of one that never had any.
		if l.Interval == 0 && !(l.Known && l.Consumer) {
			return
		}
		if a = t.actor(strings.Clone(l.Actor), site.None); a == nil {
			return
		}
	}
	s := &a.silence
	if s.interval != l.Interval {
		s.interval = l.Interval
		a.quietUntil = time.Time{}
	}
	if l.Seq > s.seq || s.heard.IsZero() {
		s.heard, s.seq = later(s.heard, l.Heard), max(s.seq, l.Seq)
	}
	if l.Known {
		s.lost = !l.Consumer && s.hadConsumer
		s.hadConsumer = s.hadConsumer || l.Consumer
		t.reviewSilence(a)
	}
}
