package history

import (
	"math"
	"slices"
)

// Past receives replies of a time before those that the store has, such as a stream's past that is
// read while new replies come.
type Past struct {
	store *Store
	all   *population
}

// Past begins to read the past, before the first reply is noted. What was read of another one is forgotten.
func (s *Store) Past() *Past {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.drop(s.past)
	s.past = newPopulation()
	s.past.after = map[*node]firstSaid{}
	return &Past{s, s.past}
}

func (s *Store) drop(p *population) {
	for p != nil && len(p.order) > 0 {
		p.order[0].remove()
	}
}

// Note is [Store.Note] for a reply of the past.
func (p *Past) Note(r *Reply, keywords Keywords) {
	s := p.store
	if r.Actor == "" || len(r.Actor) > maxKey {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.past == p.all {
		s.now = max(s.now, r.Time.UnixMilli())
		s.note(p.all, r, keywords)
	}
}

// JoinOne puts what was read of one actor in front of what the store has of it. done is true if
// there is none left: then the past has ended.
func (p *Past) JoinOne() (done bool) {
	s := p.store
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.past != p.all {
		return true
	}
	if len(p.all.order) == 0 {
		s.past = nil
		return true
	}
	s.join(p.all.order[len(p.all.order)-1])
	s.makeRoom()
	return false
}

// join moves an actor of the past to the live ones.
func (s *Store) join(old *actor) {
	a := s.live.actors[old.name]
	switch {
	case a == nil && len(s.live.order) >= s.limits.Actors:
		old.remove() // everyone there was heard later
		return
	case a == nil:
		a = s.addActor(s.live, old.name, old.heard)
		a.heard, a.rhythm = old.heard, old.rhythm
	case a.first-old.heard > old.silentAfter():
		a.silent = slices.Insert(a.silent, 0, Span{old.heard, a.first})
	}
	a.silent = slices.Insert(a.silent, 0, old.silent...)
	a.silent = a.silent[max(0, len(a.silent)-maxSpans):]
	a.first = old.first
	for key, from := range old.root.children {
		to := a.root.children[key]
		if a.lost > 0 && (to == nil || to.began() >= a.lost) {
			continue // what is between may have been evicted
		}
		j := joining{a: a, old: old}
		j.live, j.isLive = old.home.after[to]
		if to = a.root.child(a, []byte(key)); to != nil {
			j.node(to, from)
		}
	}
	a.lost = max(a.lost, old.lost)
	old.remove()
}

// firstSaid is when and by whom a keyword was said for the first time after a past.
type firstSaid struct {
	t      int64
	origin *Origin
}

// joining is a keyword of the past that is put in front of what the store has of it.
type joining struct {
	a, old *actor
	live   firstSaid
	isLive bool
}

// began returns when a value at a node or below it was first recorded; the end of time without one.
func (n *node) began() int64 {
	first := int64(math.MaxInt64)
	n.each(func(s *series) { first = min(first, s.began) })
	return first
}

// node moves the series at a node and below it.
func (j *joining) node(to, from *node) {
	for _, k := range [...]kind{numeric, state} {
		j.end(to, from, k)
		for _, one := range *from.of(k) {
			j.series(to, k, one)
		}
	}
	if to.writer == nil && from.writer != nil {
		to.writer = to.series(from.writer.kind(), j.a.sameOrigin(from.writer.origin))
	}
	for key, child := range from.children {
		if c := to.child(j.a, []byte(key)); c != nil {
			j.node(c, child)
			if !j.isLive && child.isSaid {
				c.say()
			}
		}
	}
	for i, item := range from.items {
		if item != nil {
			j.node(to.item(j.a, i), item)
		}
	}
	if !j.isLive {
		to.saidItems = from.saidItems
	}
}

// end records in the past of a node that it was not of a kind any more when the keyword was first heard
// live, unless it was: it was of the other kind then, or it was not there.
func (j *joining) end(to, from *node, k kind) {
	if !j.isLive || len(*from.of(k)) == 0 {
		return
	}
	for _, s := range *to.of(k) {
		if s.began <= j.live.t {
			return
		}
	}
	n := noting{a: j.old, t: j.live.t, origin: j.old.sameOrigin(j.live.origin)}
	from.writer = n.find(from, k)
	n.setNull(from.writer, true)
}

func (j *joining) series(to *node, k kind, old *series) {
	o := j.a.sameOrigin(old.origin)
	s := to.series(k, o)
	if s == nil {
		s = j.a.add(to, k, o, old.began)
		s.numbers, old.numbers = old.numbers, s.numbers
		s.states, old.states = old.states, s.states
		s.heard = old.heard
		j.a.charge(s.chunks() * chunkBytes)
		j.old.charge(-s.chunks() * chunkBytes)
		return
	}
	s.began, s.heard = min(s.began, old.began), max(s.heard, old.heard)
	arena := &j.a.store.arena
	moved, had := old.chunks(), s.chunks()
	s.prepend(arena, old)
	j.old.charge(-moved * chunkBytes)
	j.a.charge((s.chunks() - had) * chunkBytes)
}

// sameOrigin returns the actor's origin that is equal to one of its past.
func (a *actor) sameOrigin(o *Origin) *Origin {
	if o.Others {
		return a.others
	}
	r := Reply{Code: o.Code, RoutingKey: o.RoutingKey, Commander: o.Commander}
	if o.Command {
		r.CommandID = "some"
	}
	return a.originOf(&r, func(yield func(name, value []byte) bool) {
		for _, name := range o.Keywords {
			if !yield([]byte(name), nil) {
				return
			}
		}
	})
}
