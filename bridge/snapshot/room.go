package snapshot

import "container/heap"

// costliest is a heap of actors: the one that takes most memory is first, and of equal ones the one
// with the older last reply.
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

// makeRoom evicts keywords of the costliest actor until everything fits into the limit, so that an
// actor with many keywords cannot evict those of others.
func (s *Store) makeRoom() {
	for s.bytes > s.limits.Bytes {
		if victim := s.costs[0]; victim.order.Len() > 0 {
			s.evictKeyword(victim)
			heap.Fix(&s.costs, 0)
		} else {
			s.evictActor(victim)
		}
	}
}

// evictKeyword evicts the keyword of an actor that was updated least recently.
func (s *Store) evictKeyword(a *actor) {
	k := a.order.Remove(a.order.Back()).(*keyword)
	keywords := a.public
	if k.from.Internal {
		keywords = a.internal
	}
	delete(keywords, k.name)
	a.all.remove(k)
	a.changed, s.lastEviction = s.replies, s.replies
	s.charge(a, -keywordCost-len(k.name)-len(k.value))
	s.release(a, k.from)
	s.keywords--
	a.evicted++
	s.evictedKeywords++
}

// evictActor evicts an actor with all its keywords.
func (s *Store) evictActor(a *actor) {
	s.lastEviction = s.replies
	s.recent.Remove(a.place)
	heap.Remove(&s.costs, a.rank)
	delete(s.actors, a.name)
	s.bytes -= a.bytes
	s.keywords -= a.order.Len()
	s.evictedActors++
	s.evictedKeywords += uint64(a.order.Len())
}
