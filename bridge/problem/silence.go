package problem

import (
	"fmt"
	"strings"
	"time"

	"github.com/clu-ws/clu-ws/bridge/rhythm"
	"github.com/clu-ws/clu-ws/bridge/site"
)

// silence is what is known of an actor's life.
type silence struct {
	heard       time.Time
	seq         uint64        // of its last reply
	interval    time.Duration // its usual rhythm; 0 is none, or not known
	hadConsumer bool          // of its commands
	missing     bool          // it has none any more, as was last heard
	lost        bool          // it has none any more, and has had time to come back
	quiet       bool          // it has said nothing for too long
	outage      bool          // nor since the broker was away
	raised      *entry
}

// silentKey is the key of the problem that an actor is silent.
const silentKey = "silent"

// settle is how long actors have after an outage of the broker to connect to it again: those of CLU
// try it every five seconds. Without it, each outage would let all of them seem dead.
const settle = 20 * time.Second

// noteHeard notes that an actor lives. mu is held.
func (t *Tracker) noteHeard(a *actor, r *Reply) {
	s := &a.silence
	s.heard, s.seq = later(s.heard, r.Heard), r.Seq
	if s.quiet || s.outage {
		s.quiet, s.outage, a.quietUntil = false, false, time.Time{}
	}
	if a.silence.raised != nil {
		t.reviewSilence(a)
	}
}

// listen notes that an actor is quiet, if it has said nothing for so long that it should have, or that
// nothing takes its commands any more. It returns when to listen again.
func (t *Tracker) listen(s *silence) (again time.Time) {
	if (!t.live || !t.linked) && (s.interval > 0 && !s.quiet || s.missing && !s.lost) {
		return time.Time{}
	}
	again = never
	silent := s.quiet || s.lost
	if s.interval > 0 && !s.quiet {
		at := later(later(s.heard, t.quietSince).Add(rhythm.SilentAfter(s.interval)), t.settled)
		if s.quiet = t.clock.After(at); !s.quiet {
			again = at
		}
	}
	if s.missing && !s.lost {
		if s.lost = !t.clock.Before(t.settled); !s.lost {
			again = earlier(again, t.settled)
		}
	}
	if !silent && (s.quiet || s.lost) {
		s.outage = s.heard.Before(t.linkedAt)
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
	text := s.how()
	if s.outage {
		return text + " (not heard again since the broker was away)"
	}
	return text
}

func (s *silence) how() string {
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
		if s.missing = !l.Consumer && s.hadConsumer; !s.missing {
			s.lost = false
		}
		s.hadConsumer = s.hadConsumer || l.Consumer
		t.listen(s)
		a.quietUntil = time.Time{}
		t.reviewSilence(a)
	}
}
