package snapshot

import "slices"

// actorView is an actor at the moment of a view. It shares its keywords and replies with the store,
// which no longer changes them.
type actorView struct {
	name     string
	last     *keptReply
	beat     *keptReply // the last broadcast; nil if there was none
	live     Liveness
	evicted  uint64
	keywords []*keyword // public and internal, unordered
	mixed    bool       // there are both public and internal ones
}

func (a *actor) view() actorView {
	return actorView{a.name, a.last, a.beat, a.liveness(), a.evicted, a.all.share(), len(a.public) > 0 && len(a.internal) > 0}
}

// Actors returns a view of all actors. The store's lock must be held for the call, but
// not to use the result.
func (s *Store) Actors() Actors {
	all := make(Actors, 0, len(s.actors))
	for _, a := range s.actors {
		all = append(all, a.view())
	}
	s.views++
	return all
}

// changed returns the actors that have changed since a reply, and the order of the last reply.
// evicted reports whether actors may have been evicted, too.
func (s *Store) changed(since uint64) (changed []*actor, evicted bool, now uint64) {
	if s.lastEviction <= since {
		for e := s.recent.Front(); e != nil && e.Value.(*actor).changed > since; e = e.Next() {
			changed = append(changed, e.Value.(*actor))
		}
		return changed, false, s.replies
	}
	for _, a := range s.actors {
		if a.changed > since {
			changed = append(changed, a)
		}
	}
	return changed, true, s.replies
}

// near reports whether the changed actors have at most most keywords in all. It looks at no more
// changed actors than that.
func (s *Store) near(since uint64, most int) bool {
	if s.lastEviction <= since {
		for e := s.recent.Front(); e != nil && e.Value.(*actor).changed > since && most >= 0; e = e.Next() {
			most -= 1 + len(e.Value.(*actor).all.list)
		}
		return most >= 0
	}
	for _, a := range s.actors {
		if a.changed > since {
			most -= 1 + len(a.all.list)
		}
		if most < 0 {
			return false
		}
	}
	return true
}

// sharedList is an actor's unordered keywords, each of which has its index. A list that may be in a
// view is copied before it changes.
type sharedList struct {
	list   []*keyword
	shared bool
}

func (l *sharedList) share() []*keyword {
	l.shared = true
	return l.list
}

func (l *sharedList) unshare() {
	if l.shared {
		l.list, l.shared = slices.Clone(l.list), false
	}
}

func (l *sharedList) add(k *keyword) {
	l.unshare()
	k.at = len(l.list)
	l.list = append(l.list, k)
}

func (l *sharedList) remove(k *keyword) {
	l.unshare()
	last := len(l.list) - 1
	moved := l.list[last]
	l.list[k.at], moved.at = moved, k.at
	l.list[last] = nil
	l.list = l.list[:last]
}

func (l *sharedList) replace(k, by *keyword) {
	l.unshare()
	l.list[k.at] = by
}
