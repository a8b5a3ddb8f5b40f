package hub

import (
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/clu-ws/clu-ws/bridge/filter"
	"github.com/clu-ws/clu-ws/bridge/rooms"
)

const (
	// MaxThrottle is the longest throttle window.
	MaxThrottle = time.Hour
	// MaxBatch is the longest batch time: how long a reply may wait for others.
	MaxBatch = time.Second
)

// Spec is what a subscription selects, and how it is delivered.
type Spec struct {
	Filter   *filter.Filter // nil selects no replies
	Rooms    []string       // sorted
	Throttle time.Duration  // 0 delivers every reply
	Ordered  bool           // leaves out replies that are older than one already delivered
	Notices  Notices        // what its client is told of beside replies
	Batch    time.Duration  // how long a reply may wait for others
}

// filterCost returns how many patterns are tried on a reply, and roughly the memory that the
// filter takes, in bytes.
func (sp *Spec) filterCost() (globs, bytes int) {
	if sp.Filter == nil {
		return 0, 0
	}
	return sp.Filter.Globs(), len(sp.Filter.Key())
}

// sharedSub is a distinct subscription, as far as its clients may hear it, shared by all groups that
// have it. Its filter is evaluated once per reply, and its view once per reply for all
// subscriptions with that view. The groups share its throttle windows and order marks, so a
// client keeps these when its other subscriptions change.
type sharedSub struct {
	Spec
	key  string
	view *filter.View // what its clients may hear; nil is everything
	// senders are the only senders whose replies it may select; nil are all.
	senders []string
	// owner is the session whose commands are "mine"; nil if the filter does not use that.
	owner   *Session
	groups  []*groupSub
	windows map[string]*throttleWindow // by sender
	order   orderMarks

	number int      // its filter's number in the matcher's memo; owned by the matcher
	seen   *viewUse // its view in the memo; nil without a view; owned by the matcher
	listed bool     // it is in subIndex.changes
	place  int      // its index there
}

// seenBy returns the spec and the view that together select what a viewer hears of a subscription.
// Viewers with different views share a subscription if that is the same for them. Replies to
// one's own commands beside the view are delivered apart (own.go), for which the subscription must
// stay as the client asked for it.
func (sp *Spec) seenBy(v *Viewer) (Spec, *filter.View) {
	if sp.Filter == nil || v.view() == nil {
		return *sp, nil
	}
	seen, view := *sp, v.View
	if !v.Own {
		seen.Filter, view = v.View.Narrow(sp.Filter)
	}
	return seen, view
}

// sendersOf returns the only senders whose replies a subscription may select; nil are all.
func sendersOf(f *filter.Filter, v *filter.View) []string {
	senders, seen := f.Senders(), v.Senders()
	if senders == nil || seen == nil {
		if senders == nil {
			senders = seen
		}
		return senders
	}
	both := []string{}
	for _, name := range senders {
		if _, ok := slices.BinarySearch(seen, name); ok {
			both = append(both, name)
		}
	}
	return both
}

// key returns a string that is equal for all specs that select the same, however they were
// written, and for all clients that may hear the same, unless the filter uses "mine". It does not
// include the batch time, which does not affect what is selected.
func (sp *Spec) key(s *Session) string {
	viewer := s.viewer.Load()
	seen, view := sp.seenBy(viewer)
	sp = &seen
	var b strings.Builder
	if sp.Filter != nil {
		b.WriteString(sp.Filter.ID())
	}
	if view != nil {
		b.WriteString(" seen by ")
		b.WriteString(view.ID())
	}
	for _, path := range sp.Rooms {
		b.WriteString(" room ")
		b.WriteString(strconv.Quote(path)) // a path may contain anything
	}
	if sp.Notices != 0 {
		b.WriteString(" notices ")
		b.WriteString(strconv.Itoa(int(sp.Notices)))
		viewer.writeNoticeKey(&b, sp.Notices)
	}
	if sp.Throttle > 0 {
		b.WriteString(" throttle ")
		b.WriteString(strconv.FormatInt(int64(sp.Throttle), 10))
	}
	if sp.Ordered {
		b.WriteString(" ordered")
	}
	if owner := sp.owner(s); owner != nil {
		b.WriteString(" of ")
		b.WriteString(owner.ID)
	}
	return b.String()
}

// owner returns the session whose commands are "mine"; nil if the filter does not use that.
func (sp *Spec) owner(s *Session) *Session {
	if sp.Filter == nil || !sp.Filter.Mine() {
		return nil
	}
	return s
}

// subIndex holds the shared subscriptions by key and by room. The matcher, which finds those
// that want a reply, learns about changes from a list.
type subIndex struct {
	all     map[string]*sharedSub
	byRoom  rooms.PathIndex[*sharedSub]
	changes []change // not applied to the matcher yet; each subscription at most once
}

func newSubIndex() subIndex {
	return subIndex{all: map[string]*sharedSub{}, byRoom: rooms.PathIndex[*sharedSub]{}}
}

// acquire returns the shared subscription of a client's spec.
func (x *subIndex) acquire(w Spec, client *Session) *sharedSub {
	key, owner := w.key(client), w.owner(client)
	if s := x.all[key]; s != nil {
		return s
	}
	s := &sharedSub{key: key, owner: owner}
	s.Spec, s.view = w.seenBy(client.viewer.Load())
	if s.Filter != nil {
		s.senders = sendersOf(s.Filter, s.view)
	}
	x.all[key] = s
	x.byRoom.Add(s, w.Rooms...)
	if w.Filter != nil {
		x.addChange(change{sharedSub: s})
	}
	return s
}

// addChange records a change for the matcher.
func (x *subIndex) addChange(c change) {
	c.listed = true
	c.place = len(x.changes)
	x.changes = append(x.changes, c)
}

// forgetChange removes the change by which the matcher would have learned of a subscription.
func (x *subIndex) forgetChange(s *sharedSub) {
	last := len(x.changes) - 1
	moved := x.changes[last]
	x.changes[s.place], moved.place = moved, s.place
	x.changes[last] = change{}
	x.changes = x.changes[:last]
	s.listed = false
}

// takeChanges returns and clears the changes.
func (x *subIndex) takeChanges() []change {
	changes := x.changes
	x.changes = nil
	for _, c := range changes {
		c.listed = false
	}
	return changes
}

// advance raises the order marks of a client's subscription to those of a replay. Keys beyond
// the bound are left out: the last ones in alphabetical order, so that they are always the same.
func (x *subIndex) advance(w Spec, client *Session, marks orderMarks) {
	if len(marks) == 0 {
		return
	}
	s := x.all[w.key(client)]
	keys := maps.Keys(marks)
	if len(s.order)+len(marks) > maxOrderKeys {
		keys = slices.Values(slices.Sorted(keys))
	}
	for key := range keys {
		s.order.advance(key, marks[key])
	}
}

// drop removes a subscription that no group has any longer.
func (x *subIndex) drop(s *sharedSub) {
	if x.all[s.key] != s {
		return // it was dropped already: one client had it twice
	}
	delete(x.all, s.key)
	x.byRoom.Remove(s, s.Rooms...)
	switch {
	case s.Filter == nil:
	case s.listed:
		x.forgetChange(s)
	default:
		x.addChange(change{s, true})
	}
}

// all returns the filter that selects everything.
func all() *filter.Filter {
	f, err := filter.Parse(nil)
	if err != nil {
		panic("hub: the empty filter is wrong: " + err.Error())
	}
	return f
}
