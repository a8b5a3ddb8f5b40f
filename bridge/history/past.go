package history

import "slices"

// Past receives replies of a time before those that the store has, such as a stream's past that is
// read while new replies come.
type Past struct {
	store *Store
	all   *population
}

// Past begins to read the past. What was read of another one is forgotten.
func (s *Store) Past() *Past {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.drop(s.past)
	s.past = newPopulation()
	return &Past{s, s.past}
}

// filling reports whether a past is being read.
func (s *Store) filling() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.past != nil
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
	a.joinNode(&a.root, &old.root, old)
	old.remove()
}

// joinNode moves the series below a node.
func (a *actor) joinNode(to, from *node, old *actor) {
	for _, k := range [...]kind{numeric, state} {
		for _, one := range *from.of(k) {
			a.joinSeries(to, k, one, old)
		}
	}
	if to.writer == nil && from.writer != nil {
		to.writer = to.series(from.writer.kind(), a.sameOrigin(from.writer.origin))
	}
	for key, child := range from.children {
		if c := to.child(a, []byte(key)); c != nil {
			a.joinNode(c, child, old)
		}
	}
	for i, item := range from.items {
		if item != nil {
			a.joinNode(to.item(a, i), item, old)
		}
	}
}

func (a *actor) joinSeries(to *node, k kind, old *series, of *actor) {
	o := a.sameOrigin(old.origin)
	s := to.series(k, o)
	if s == nil {
		s = a.add(to, k, o)
		s.numbers, old.numbers = old.numbers, s.numbers
		s.states, old.states = old.states, s.states
		s.heard = old.heard
		a.charge(s.chunks() * chunkBytes)
		of.charge(-s.chunks() * chunkBytes)
		return
	}
	s.heard = max(s.heard, old.heard)
	arena := &a.store.arena
	moved, had := old.chunks(), s.chunks()
	s.prepend(arena, old)
	of.charge(-moved * chunkBytes)
	a.charge((s.chunks() - had) * chunkBytes)
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
