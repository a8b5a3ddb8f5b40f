package hub

import (
	"strconv"
	"strings"
	"time"

	"github.com/clu-ws/clu-ws/bridge/filter"
	"github.com/clu-ws/clu-ws/bridge/rooms"
)

// MaxThrottle is the longest throttle window.
const MaxThrottle = time.Hour

// MaxBatch is the longest time for which a reply may wait for others.
const MaxBatch = time.Second

// Spec is what a subscription selects, and how it is delivered.
type Spec struct {
	Filter   *filter.Filter // nil selects no replies
	Rooms    []string       // sorted
	Throttle time.Duration  // 0 delivers every reply
	Ordered  bool           // replies behind the order of one that was delivered are left out
	Batch    time.Duration  // how long a reply may wait for others
}

// filterCost returns how many patterns are tried on a reply, and about how much memory the
// filter takes, in bytes.
func (w *Spec) filterCost() (globs, bytes int) {
	if w.Filter == nil {
		return 0, 0
	}
	return w.Filter.Globs(), len(w.Filter.Key())
}

// sharedSub is a distinct subscription, shared by all groups that have it. Its filter is
// evaluated once a reply. They share its throttle windows and order marks, so a client
// keeps these when its other subscriptions change.
type sharedSub struct {
	Spec
	key string
	// owner is whose commands are "mine"; nil if the filter does not use that.
	owner   *Session
	groups  []*groupSub
	windows map[string]*throttleWindow // by sender
	order   orderMarks

	number int  // its filter's number in the matcher's memo; owned by the matcher
	noted  bool // it is in subIndex.changes
	place  int  // its index there
}

// key returns the same text for all specs that select the same, however they were written,
// and for all clients unless it matters whose commands are "mine". It leaves out the batch,
// which does not change what is selected.
func (w *Spec) key(s *Session) string {
	var b strings.Builder
	if w.Filter != nil {
		b.WriteString(w.Filter.ID())
	}
	for _, path := range w.Rooms {
		b.WriteString(" room ")
		b.WriteString(strconv.Quote(path)) // a path may hold anything
	}
	if w.Throttle > 0 {
		b.WriteString(" throttle ")
		b.WriteString(strconv.FormatInt(int64(w.Throttle), 10))
	}
	if w.Ordered {
		b.WriteString(" ordered")
	}
	if owner := w.owner(s); owner != nil {
		b.WriteString(" of ")
		b.WriteString(owner.ID)
	}
	return b.String()
}

// owner returns whose commands are "mine" for a session's subscription; nil if its filter
// does not use that.
func (w *Spec) owner(s *Session) *Session {
	if w.Filter == nil || !w.Filter.Mine() {
		return nil
	}
	return s
}

// subIndex holds the shared subscriptions by key and by room. The matcher, which finds those
// that want a reply, learns of changes from a list.
type subIndex struct {
	all     map[string]*sharedSub
	byRoom  rooms.PathIndex[*sharedSub]
	changes []change // not applied to the matcher yet; each subscription at most once
}

func newSubIndex() subIndex {
	return subIndex{all: map[string]*sharedSub{}, byRoom: rooms.PathIndex[*sharedSub]{}}
}

// acquire returns the shared subscription of a client's spec.
func (sh *subIndex) acquire(w Spec, client *Session) *sharedSub {
	key, owner := w.key(client), w.owner(client)
	if s := sh.all[key]; s != nil {
		return s
	}
	s := &sharedSub{Spec: w, key: key, owner: owner}
	sh.all[key] = s
	for _, path := range w.Rooms {
		sh.byRoom.Add(path, s)
	}
	if w.Filter != nil {
		sh.note(change{sharedSub: s})
	}
	return s
}

// note records a change for the matcher.
func (sh *subIndex) note(c change) {
	c.noted = true
	c.place = len(sh.changes)
	sh.changes = append(sh.changes, c)
}

// forgetChange removes the change of a subscription that the matcher never had.
func (sh *subIndex) forgetChange(s *sharedSub) {
	last := len(sh.changes) - 1
	moved := sh.changes[last]
	sh.changes[s.place], moved.place = moved, s.place
	sh.changes[last] = change{}
	sh.changes = sh.changes[:last]
	s.noted = false
}

// takeChanges returns and clears the changes.
func (sh *subIndex) takeChanges() []change {
	changes := sh.changes
	sh.changes = nil
	for _, c := range changes {
		c.noted = false
	}
	return changes
}

// advance notes how far the subscription of a client's spec has delivered each order. It
// knows already if it is not new.
func (sh *subIndex) advance(w Spec, client *Session, by orderMarks) {
	if len(by) == 0 {
		return
	}
	s := sh.all[w.key(client)]
	for key, order := range by {
		s.order.advance(key, order)
	}
}

// drop removes a subscription that no group has any more.
func (sh *subIndex) drop(s *sharedSub) {
	if sh.all[s.key] != s {
		return // one client had it twice
	}
	delete(sh.all, s.key)
	for _, path := range s.Rooms {
		sh.byRoom.Remove(path, s)
	}
	switch {
	case s.Filter == nil:
	case s.noted:
		sh.forgetChange(s)
	default:
		sh.note(change{s, true})
	}
}

// all returns the filter that selects everything.
func all() *filter.Filter {
	f, err := filter.Parse(nil)
	if err != nil {
		panic("bridge: the empty filter is wrong: " + err.Error())
	}
	return f
}
