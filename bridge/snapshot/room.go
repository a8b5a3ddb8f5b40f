package snapshot

// makeRoom forgets what is too much for the bytes. The actor that was heard pays
// while it has more than its share, so that one that makes up keywords cannot
// push out what others said; otherwise the one that is silent for longest does.
func (s *Store) makeRoom(heard *actor) {
	for s.bytes > s.limits.Bytes {
		victim := s.heard.Back().Value.(*actor)
		if heard.order.Len() > 0 && heard.bytes > s.limits.Bytes/len(s.actors) {
			victim = heard
		}
		if victim.order.Len() > 0 {
			s.forgetKeyword(victim)
		} else {
			s.forgetActor(victim)
		}
	}
}

// forgetKeyword forgets an actor's keyword that was not updated for longest.
func (s *Store) forgetKeyword(a *actor) {
	k := a.order.Remove(a.order.Back()).(*keyword)
	kind := a.public
	if k.from.Internal {
		kind = a.inner
	}
	delete(kind, k.name)
	s.charge(a, -keywordCost-len(k.name)-len(k.value))
	s.release(a, k.from)
	s.keywords--
	a.evicted++
	s.evictedKeywords++
}

// forgetActor forgets an actor and all its keywords at once.
func (s *Store) forgetActor(a *actor) {
	s.heard.Remove(a.place)
	delete(s.actors, a.name)
	s.bytes -= a.bytes
	s.keywords -= a.order.Len()
	s.evictedActors++
	s.evictedKeywords += uint64(a.order.Len())
}
