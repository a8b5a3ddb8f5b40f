package snapshot

import "container/heap"

// costliest is a heap of actors: the one that costs most comes first, and of two
// that cost the same the one that was heard earlier.
type costliest []*actor

func (c costliest) Len() int { return len(c) }

func (c costliest) Less(i, j int) bool {
	if c[i].bytes != c[j].bytes {
		return c[i].bytes > c[j].bytes
	}
	return c[i].heard < c[j].heard
}

func (c costliest) Swap(i, j int) {
	c[i], c[j] = c[j], c[i]
	c[i].rank, c[j].rank = i, j
}

func (c *costliest) Push(a any) {
	a.(*actor).rank = len(*c)
	*c = append(*c, a.(*actor))
}

func (c *costliest) Pop() any {
	last := len(*c) - 1
	a := (*c)[last]
	(*c)[last] = nil
	*c = (*c)[:last]
	return a
}

// makeRoom forgets what is too much for the bytes. The costliest actor pays, so
// that one that makes up keywords cannot push out what the others said.
func (s *Store) makeRoom() {
	for s.bytes > s.limits.Bytes {
		if victim := s.costs[0]; victim.order.Len() > 0 {
			s.forgetKeyword(victim)
			heap.Fix(&s.costs, 0)
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
		kind = a.internal
	}
	delete(kind, k.name)
	a.all.remove(k)
	a.changed, s.shrunk = s.replies, s.replies
	s.charge(a, -keywordCost-len(k.name)-len(k.value))
	s.release(a, k.from)
	s.keywords--
	a.evicted++
	s.evictedKeywords++
}

// forgetActor forgets an actor and all its keywords at once.
func (s *Store) forgetActor(a *actor) {
	s.shrunk = s.replies
	s.recent.Remove(a.place)
	heap.Remove(&s.costs, a.rank)
	delete(s.actors, a.name)
	s.bytes -= a.bytes
	s.keywords -= a.order.Len()
	s.evictedActors++
	s.evictedKeywords += uint64(a.order.Len())
}
