package snapshot

import (
	"encoding/binary"
	"slices"
)

// nameSet is the names of the keywords of an actor's replies. All replies with the same keywords
// share it.
type nameSet struct {
	key   string // in actor.sets
	names []string
	refs  int // the replies that have it
}

// nameSetCost is the memory of a set in addition to its names, in bytes, and nameCost that of each
// name: its text is there twice.
const (
	nameSetCost = 160
	nameCost    = 32
)

func (n *nameSet) cost() int { return nameSetCost + len(n.names)*nameCost + 2*len(n.key) }

// KeepNames makes the store remember from now on which keywords each reply had that set a last
// value, for [Entry].Keywords.
func (s *Store) KeepNames() { s.names = true }

// keepNames remembers the names of a reply's keywords. They are not known if the reply had more
// than an actor may have, or if they are longer together than a value may be.
func (s *Store) keepNames(a *actor, f *keptReply, keywords *Keywords) {
	if keywords.evicted > 0 {
		return
	}
	key := s.scratch[:0]
	for _, k := range keywords.list {
		if len(key)+len(k.name) > s.limits.Value {
			return
		}
		key = binary.AppendUvarint(key, uint64(len(k.name)))
		key = append(key, k.name...)
	}
	s.scratch = key
	n := a.sets[string(key)]
	if n == nil {
		n = &nameSet{key: string(key), names: make([]string, len(keywords.list))}
		for i, k := range keywords.list {
			n.names[i] = string(k.name)
		}
		if a.sets == nil {
			a.sets = map[string]*nameSet{}
		}
		a.sets[n.key] = n
		s.charge(a, n.cost())
	}
	n.refs++
	f.names = n
}

// releaseNames drops a reply's reference to its names.
func (s *Store) releaseNames(a *actor, f *keptReply) {
	n := f.names
	if n == nil {
		return
	}
	if n.refs--; n.refs == 0 {
		delete(a.sets, n.key)
		s.charge(a, -n.cost())
	}
}

// Visible says which replies someone may know of, and so which values, which actors and which
// counts. A nil Visible is everything.
type Visible struct {
	// Reply reports whether a reply is visible. It gets an entry for one of the keywords that the
	// reply has set, or without a keyword for an actor's last reply.
	Reply func(Entry) bool
	// Keywords reports whether Reply looks at the names of keywords.
	Keywords bool
	// AllOf reports whether every reply of an actor is visible, whatever its other properties
	// are. Only then the number of the actor's evicted keywords is visible.
	AllOf func(actor string) bool
}

// sight is what is visible of one actor, found in steps.
type sight struct {
	*Visible
	newest *keptReply // that is visible
	last   *keptReply // the reply that was asked for last, if the answer is for all its keywords
	seen   bool
}

// keyword reports whether the reply that has set a keyword is visible.
func (v *sight) keyword(k *keyword) bool {
	if v.last != k.from {
		v.seen = v.Reply(k.entry())
		if v.last = nil; k.from.names != nil || !v.Keywords {
			v.last = k.from
		}
	}
	if v.seen && (v.newest == nil || k.from.order > v.newest.order) {
		v.newest = k.from
	}
	return v.seen
}

// actor returns what is visible of an actor, after keyword was asked for all its keywords: an actor
// without a visible reply has none as its last.
func (v *sight) actor(a *actorView) actorView {
	visible := *a
	if visible.last != v.newest && !v.Reply(a.last.entry()) {
		visible.last = v.newest
	}
	if a.live.Interval > 0 && a.beat != v.newest && !v.Reply(a.beat.entry()) {
		visible.live.Interval = 0 // the rhythm of what is not visible
	}
	if !v.AllOf(a.name) {
		visible.evicted = 0
	}
	return visible
}

// Restrict removes from the actors what is not visible, until enough returns true. It reports
// whether it is done; otherwise it must be called again. enough is called after every few keywords.
func (all *Actors) Restrict(v *Visible, r *Restricting, enough func() bool) (done bool) {
	const few = 16
	for ; r.next < len(*all); r.next++ {
		a := (*all)[r.next]
		if r.sight.Visible == nil {
			r.sight, r.kept = sight{Visible: v}, nil
		}
		for r.at < len(a.keywords) {
			for end := min(r.at+few, len(a.keywords)); r.at < end; r.at++ {
				if k := a.keywords[r.at]; r.sight.keyword(k) {
					r.kept = append(r.kept, k)
				}
			}
			if enough() {
				return false
			}
		}
		visible := r.sight.actor(&a)
		visible.keywords = r.kept
		if visible.last != nil {
			r.left = append(r.left, visible)
		}
		r.at, r.sight = 0, sight{}
		if enough() {
			r.next++
			return false
		}
	}
	*all = slices.Clip(r.left)
	return true
}

// Restricting is the progress of [Actors.Restrict].
type Restricting struct {
	next, at int // the next actor, and the next of its keywords
	sight    sight
	kept     []*keyword
	left     Actors
}
