package bridge

import (
	"strconv"
	"strings"
	"time"

	"github.com/clu-ws/clu-ws/bridge/filter"
)

// maxThrottle is the longest time for which replies may be held back.
const maxThrottle = time.Hour

// maxBatch is the longest time for which replies may wait for others.
const maxBatch = time.Second

// wish is what a subscription asks for.
type wish struct {
	filter   *filter.Filter // nil: no replies
	rooms    []string       // sorted
	throttle time.Duration  // 0: every reply
	ordered  bool           // leave out what is older than what was delivered
	batch    time.Duration  // how long what it selects may wait for more of it
}

// filterCost is how many patterns are tried on a reply, and about how much memory the
// filter takes.
func (w *wish) filterCost() (globs, bytes int) {
	if w.filter == nil {
		return 0, 0
	}
	return w.filter.Globs(), len(w.filter.Key())
}

// selection is one distinct wish, whoever has it. Its filter is evaluated once a
// reply, for all of them, and they share its windows and orders: so a client keeps
// them when its other subscriptions change.
type selection struct {
	wish
	key string
	// owner is whose commands are "mine"; nil if the filter does not ask for that.
	owner   *session
	members []*member
	windows map[string]*window // by sender
	orders  orders

	number int  // its filter's number in the index's memo; owned by the index
	noted  bool // it is in shelf.changes
	place  int  // its index there
}

// selectionKey is the same for wishes that are the same, however they were spelled,
// and for all clients unless it matters whose commands are "mine". It is the same for
// every batch: what is selected does not depend on how long that may wait.
func (w *wish) selectionKey(s *session) string {
	var b strings.Builder
	if w.filter != nil {
		b.WriteString(w.filter.ID())
	}
	for _, path := range w.rooms {
		b.WriteString(" room ")
		b.WriteString(strconv.Quote(path)) // it may hold anything
	}
	if w.throttle > 0 {
		b.WriteString(" throttle ")
		b.WriteString(strconv.FormatInt(int64(w.throttle), 10))
	}
	if w.ordered {
		b.WriteString(" ordered")
	}
	if owner := w.owner(s); owner != nil {
		b.WriteString(" of ")
		b.WriteString(owner.id)
	}
	return b.String()
}

// owner is whose commands are "mine" to a session's wish; nil if it does not ask.
func (w *wish) owner(s *session) *session {
	if w.filter == nil || !w.filter.Mine() {
		return nil
	}
	return s
}

// shelf holds the selections by their keys. Matching them with replies is up to the
// index.
type shelf struct {
	all     map[string]*selection
	byRoom  pathIndex[*selection]
	changes []change // not applied to the index yet; each selection at most once
}

func newShelf() shelf {
	return shelf{all: map[string]*selection{}, byRoom: pathIndex[*selection]{}}
}

// take gives the selection of a client's wish, for one group more.
func (sh *shelf) take(w wish, client *session) *selection {
	key, owner := w.selectionKey(client), w.owner(client)
	if s := sh.all[key]; s != nil {
		return s
	}
	s := &selection{wish: w, key: key, owner: owner}
	sh.all[key] = s
	for _, path := range w.rooms {
		sh.byRoom.add(path, s)
	}
	if w.filter != nil {
		sh.note(change{selection: s})
	}
	return s
}

// note records a change for the index.
func (sh *shelf) note(c change) {
	c.noted = true
	c.place = len(sh.changes)
	sh.changes = append(sh.changes, c)
}

// forgetChange removes the change of a selection that the index never had.
func (sh *shelf) forgetChange(s *selection) {
	last := len(sh.changes) - 1
	moved := sh.changes[last]
	sh.changes[s.place], moved.place = moved, s.place
	sh.changes[last] = change{}
	sh.changes = sh.changes[:last]
	s.noted = false
}

// takeChanges returns and clears the changes.
func (sh *shelf) takeChanges() []change {
	changes := sh.changes
	sh.changes = nil
	for _, c := range changes {
		c.noted = false
	}
	return changes
}

// reached notes that the selection of a client's wish has delivered as much of each
// order. One that is not older knows that already.
func (sh *shelf) reached(w wish, client *session, by orders) {
	if len(by) == 0 {
		return
	}
	s := sh.all[w.selectionKey(client)]
	for key, order := range by {
		s.orders.reach(key, order)
	}
}

// drop forgets a selection that no group has any more.
func (sh *shelf) drop(s *selection) {
	if sh.all[s.key] != s {
		return // one client may have wished it twice
	}
	delete(sh.all, s.key)
	for _, path := range s.rooms {
		sh.byRoom.remove(path, s)
	}
	switch {
	case s.filter == nil:
	case s.noted:
		sh.forgetChange(s)
	default:
		sh.note(change{s, true})
	}
}

func remove[K comparable, V comparable](from map[K][]V, key K, v V) {
	if left := without(from[key], v); len(left) > 0 {
		from[key] = left
	} else {
		delete(from, key)
	}
}

// without takes an element out of a list whose order does not matter.
func without[V comparable](list []V, v V) []V {
	for i := range list {
		if list[i] == v {
			last := len(list) - 1
			list[i] = list[last]
			clear(list[last:])
			return list[:last]
		}
	}
	return list
}
