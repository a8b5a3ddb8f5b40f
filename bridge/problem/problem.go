package problem

import (
	"cmp"
	"time"

	"github.com/clu-ws/clu-ws/bridge/filter"
	"github.com/clu-ws/clu-ws/bridge/site"
)

// Kind is what tells of a problem.
type Kind string

// The kinds.
const (
	Broadcast Kind = "broadcast" // the actor said so
	Condition Kind = "condition" // a condition of the site, or a limit of a keyword
	Silent    Kind = "silent"    // the actor says nothing, or takes no commands
)

// Problem is something that is wrong with an actor.
type Problem struct {
	Actor string
	// Key identifies it among the actor's problems, on all bridges.
	Key  string
	Kind Kind
	// Level is how bad it is now: one lighter if it has ended.
	Level site.Level
	Code  string // of a broadcast
	Text  string
	// Keyword is the first keyword of a condition, ACTOR.KEYWORD.
	Keyword string
	Began   time.Time
	// Time is when it was last said; of a silent actor, when that was last heard.
	Time  time.Time
	Count int    // how often it was said, or raised since it is listed
	Seq   uint64 // of the reply that said it last, or raised it
	// Active reports whether it still holds. It has no meaning for a broadcast.
	Active bool
	// Acked is who acknowledged it; nil is nobody.
	Acked *Acked

	needs []*heardReply
}

// Acked is an acknowledgement of a problem.
type Acked struct {
	By   string // "" is not known
	Time time.Time
}

// Compare orders problems by how urgent they are: those that nobody has acknowledged first, the worst
// before the lesser, and the latest first.
func Compare(a, b Problem) int {
	acked := func(p Problem) int {
		if p.Acked != nil {
			return 1
		}
		return 0
	}
	return cmp.Or(cmp.Compare(acked(a), acked(b)), cmp.Compare(b.Level, a.Level), b.Time.Compare(a.Time), cmp.Compare(a.Actor, b.Actor), cmp.Compare(a.Key, b.Key))
}

// visible reports whether a client that hears a view may know of the problem: it must hear the
// replies that tell of it, and of silence everything that the actor says.
func (p *Problem) visible(v *filter.View) bool {
	if v == nil {
		return true
	}
	if p.Kind == Silent {
		return v.SelectsAllOf(p.Actor)
	}
	for _, r := range p.needs {
		if r == nil || r.unknown || !v.Match(&r.Reply) {
			return false
		}
	}
	return len(p.needs) > 0
}

// entry is a problem in the list of its actor.
type entry struct {
	Problem            // Level is as it was raised
	raised  uint64     // number of the reply that raised it
	ended   time.Time  // zero while it holds, and for a broadcast
	cond    *condition // of a condition
	shape   uint64     // of a broadcast; see shapeOf
}

// How long a problem is listed; see the package.
const (
	ackedFor   = 10 * time.Minute
	warnedFor  = time.Hour
	erredFor   = 12 * time.Hour
	endedFor   = time.Hour
	briefly    = time.Minute // a silence that leaves nothing behind
	lostAckFor = time.Hour   // an acknowledgement of what is not listed
)

// level returns how bad the problem is now.
func (e *entry) level() site.Level {
	if e.hasEnded() {
		return e.Level.Lighter()
	}
	return e.Level
}

func (e *entry) hasEnded() bool { return e.Kind != Broadcast && !e.Active }

// over reports whether the problem is listed no longer.
func (e *entry) over(now time.Time) bool { return now.After(e.listedUntil()) }

// listedUntil returns until when the problem is listed if nothing more happens.
func (e *entry) listedUntil() time.Time {
	if e.Kind != Broadcast {
		switch {
		case e.Active:
			return never
		case e.Acked != nil, e.level() == site.None, e.Kind == Silent && e.ended.Sub(e.Began) < briefly:
			return time.Time{}
		}
		return e.ended.Add(endedFor)
	}
	switch {
	case e.Acked != nil:
		return later(e.Time, e.Acked.Time).Add(ackedFor)
	case e.Level == site.Warn:
		return e.Time.Add(warnedFor)
	case e.Level == site.Error:
		return e.Time.Add(erredFor)
	}
	return never
}

// never is later than any time.
var never = time.Unix(1<<40, 0)

// copy returns the problem as clients are told of it.
func (e *entry) copy() Problem {
	p := e.Problem
	p.Level = e.level()
	return p
}
