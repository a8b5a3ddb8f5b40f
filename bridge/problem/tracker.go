package problem

import (
	"slices"
	"sync"
	"time"

	"github.com/clu-ws/clu-ws/bridge/filter"
	"github.com/clu-ws/clu-ws/bridge/site"
)

// Config configures a [Tracker]. All fields are optional.
type Config struct {
	// Epoch identifies the numbers of the replies.
	Epoch string
	// Past reports whether the past is read first, until [Tracker.Live].
	Past bool
	// Record reports whether what came before the first reply will be adopted; see [Tracker.Adopt].
	Record bool
	// Views reports whether clients may have views. Then the tracker remembers which reply told of
	// each problem.
	Views bool
	// Changed is called when the problems of an actor have changed, at most four times a second
	// for each. It must not call the tracker.
	Changed func(actor string)
	// Now and After are the clock. nil is [time.Now] and [time.AfterFunc].
	Now   func() time.Time
	After func(time.Duration, func()) (stop func() bool)
}

// Reply is a reply, with what the tracker looks at. Its memory is used during the call only.
type Reply struct {
	*filter.Reply
	Seq   uint64
	Heard time.Time
	Body  []byte // JSON
	// Keywords calls yield with each keyword of the body and its value, as JSON.
	Keywords func(yield func(name, value []byte) bool)
}

// Tracker follows the problems of all actors. Its methods may be called by many goroutines; Note,
// Acked and Live by one at a time, in the order of the exchange.
type Tracker struct {
	cfg Config

	// mu guards the following fields. It is held for short only: the goroutine that delivers replies
	// needs it.
	mu         sync.Mutex
	clock      time.Time // the latest time that is known; it never runs backwards
	live       bool
	linked     bool
	wasLinked  bool
	quietSince time.Time // before it, silence means nothing
	linkedAt   time.Time // when the link stood again after an outage; zero is never
	settled    time.Time // until then, actors have time to come back after it
	seq        uint64    // of the last reply
	actors     map[string]*actor
	omitted    uint64 // replies about actors for whom there was no space
	conditions []*condition
	bindings   bindings
	scan       scan
	comparison comparison
	swept      time.Time
	pending    map[*actor]struct{} // of whose changes Changed is to be told
	recording  *recording          // nil if nothing is recorded
	waits      bool                // a condition may hold, and not long enough yet
	due        time.Time           // when the first of these is due, or earlier
	tell       []string            // what Changed is called with once mu is free
	stopTimer  func() bool
	timerAt    time.Time
	closed     bool
}

// actor is what is known of an actor.
type actor struct {
	name       string
	problems   map[string]*entry // by key
	broadcasts int               // of these
	acks       map[string]earlyAck
	omitted    uint64 // replies that told of a problem that is not listed
	silence    silence
	quietUntil time.Time // before this, time alone changes nothing
	told       time.Time // when Changed was called last
	due        time.Time // when it is to be called again
}

// Bounds of what is kept.
const (
	maxActors     = 1000
	maxBroadcasts = 32 // of an actor
	maxEarlyAcks  = 64 // of an actor
	maxName       = 255
)

// New returns a tracker.
func New(cfg Config) *Tracker {
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.After == nil {
		cfg.After = func(d time.Duration, f func()) func() bool { return time.AfterFunc(d, f).Stop }
	}
	if cfg.Changed == nil {
		cfg.Changed = func(string) {}
	}
	t := &Tracker{cfg: cfg, live: !cfg.Past, actors: map[string]*actor{}, pending: map[*actor]struct{}{}, bindings: bindings{}}
	if cfg.Record {
		t.recording = new(recording)
	}
	t.scan.each, t.comparison.each = t.noteKeyword, t.comparison.compare
	return t
}

// Note notes a reply of an actor.
func (t *Tracker) Note(r *Reply) {
	defer t.lock()()
	t.record(r)
	t.advance(r.Heard)
	t.sweepIfDue()
	t.seq = max(t.seq, r.Seq)
	if a := t.actors[r.Sender]; a != nil {
		t.noteHeard(a, r)
	}
	t.noteKeywords(r)
	if level := levelOf(r.Reply); level != site.None {
		t.noteBroadcast(r, level)
	}
}

// lock locks the tracker. The function that it returns unlocks it, and tells of changes.
func (t *Tracker) lock() (unlock func()) {
	t.mu.Lock()
	return t.unlock
}

func (t *Tracker) unlock() {
	t.arm()
	tell := t.tell
	t.tell = nil
	t.mu.Unlock()
	for _, actor := range tell {
		t.cfg.Changed(actor)
	}
}

// advance sets the clock forward. mu is held.
func (t *Tracker) advance(now time.Time) {
	if now.After(t.clock) {
		t.clock = now
	}
}

// advanceToNow sets the clock to the present, except while the past is read: there it is the time of
// the last reply. mu is held.
func (t *Tracker) advanceToNow() {
	if t.live {
		t.advance(t.cfg.Now())
	}
}

// Live ends the past: from now on, changes are told, and silence means something.
func (t *Tracker) Live() {
	defer t.lock()()
	t.live = true
	t.advanceToNow()
	t.quietSince = t.clock
	t.sweep()
}

// SetLinked says whether replies can come. While they cannot, no actor becomes silent.
func (t *Tracker) SetLinked(linked bool) {
	defer t.lock()()
	t.advanceToNow()
	if linked && !t.linked {
		t.quietSince = t.clock
		if t.wasLinked {
			t.linkedAt, t.settled = t.clock, t.clock.Add(settle)
		}
	}
	t.linked, t.wasLinked = linked, t.wasLinked || linked
}

// Close stops the tracker's timer.
func (t *Tracker) Close() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.closed = true
	if t.stopTimer != nil {
		t.stopTimer()
	}
}

// actor returns the actor of a name, which it makes if there is space for one with a problem of this
// level. mu is held.
func (t *Tracker) actor(name string, level site.Level) *actor {
	a := t.actors[name]
	if a != nil {
		return a
	}
	if len(name) > maxName || len(t.actors) >= maxActors && !t.makeRoom(level) {
		return nil
	}
	a = &actor{name: name, problems: map[string]*entry{}}
	t.actors[name] = a
	return a
}

// makeRoom forgets the actor with the least problem, if that is less than a level.
func (t *Tracker) makeRoom(level site.Level) bool {
	var least *actor
	worst := level
	for _, a := range t.actors {
		if w := a.worst(); w < worst && !a.conditional() {
			least, worst = a, w
		}
	}
	if least == nil {
		return false
	}
	if len(least.problems) > 0 {
		t.omitted += least.omitted + 1
		if t.live {
			t.tellNow(least)
		}
	}
	delete(t.actors, least.name)
	delete(t.pending, least)
	return true
}

// worst returns the level of the worst problem that nobody has acknowledged.
func (a *actor) worst() (worst site.Level) {
	for _, e := range a.problems {
		if e.Acked == nil {
			worst = max(worst, e.level())
		}
	}
	return worst
}

// conditional reports whether one of the problems is a condition's.
func (a *actor) conditional() bool {
	for _, e := range a.problems {
		if e.cond != nil {
			return true
		}
	}
	return false
}

// remove removes a problem from its actor's list. mu is held.
func (t *Tracker) remove(a *actor, e *entry) {
	delete(a.problems, e.Key)
	if e.Kind == Broadcast {
		a.broadcasts--
	}
	if e.cond != nil {
		e.cond.raised = nil
	}
	if a.silence.raised == e {
		a.silence.raised = nil
	}
	if a.worst() == site.None {
		a.omitted = 0
	}
	t.changed(a, false)
}

// Actors returns the names of the actors that have problems, or some that are not listed, sorted.
func (t *Tracker) Actors() (names []string) {
	defer t.lock()()
	t.advanceToNow()
	t.sweep()
	for name, a := range t.actors {
		if len(a.problems) > 0 || a.omitted > 0 {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

// Of returns the problems of an actor of which a client may know that hears a view, the most urgent
// first, and how many replies told of problems that are not listed.
func (t *Tracker) Of(name string, v *filter.View) (problems []Problem, omitted uint64) {
	problems, omitted = t.of(name)
	problems = slices.DeleteFunc(problems, func(p Problem) bool { return !p.visible(v) })
	slices.SortFunc(problems, Compare)
	if !v.SelectsAllOf(name) {
		omitted = 0
	}
	return problems, omitted
}

func (t *Tracker) of(name string) (problems []Problem, omitted uint64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	a := t.actors[name]
	if a == nil {
		return nil, 0
	}
	for _, e := range a.problems {
		if !e.over(t.clock) && !e.cond.within() {
			problems = append(problems, e.copy())
		}
	}
	return problems, a.omitted
}

// Omitted returns how many replies told of problems of actors for whom there was no space.
func (t *Tracker) Omitted() uint64 {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.omitted
}

// Counts returns how many problems of each level nobody has acknowledged.
func (t *Tracker) Counts() (counts [site.Critical + 1]int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, a := range t.actors {
		for _, e := range a.problems {
			if e.Acked == nil && !e.over(t.clock) && !e.cond.within() {
				counts[e.level()]++
			}
		}
	}
	return counts
}
