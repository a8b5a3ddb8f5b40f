package history

import (
	"cmp"
	"slices"
)

// sweepMS is how often each actor is looked at for what is too old, in milliseconds.
const sweepMS = 60_000

// silenceMS is how long nothing is heard of an actor without a rhythm until it counts as silent, in
// milliseconds.
const silenceMS = 60_000

// maxSpans is how many spans are kept of each kind.
const maxSpans = 500

func appendSpan(all []Span, s Span) []Span {
	if len(all) >= maxSpans {
		all = slices.Delete(all, 0, 1+len(all)-maxSpans)
	}
	return append(all, s)
}

// makeRoom evicts until everything fits. Of the actor that takes most, the keywords that take most
// lose what is oldest; without more than the newest chunk anywhere, those keywords go that were heard
// least recently.
func (s *Store) makeRoom() {
	for s.bytes > s.limits.Bytes {
		var most *actor
		for _, p := range [...]*population{s.live, s.past} {
			if p == nil {
				continue
			}
			for _, a := range p.order {
				if most == nil || a.bytes > most.bytes {
					most = a
				}
			}
		}
		if most == nil {
			return
		}
		if !most.shorten() {
			most.forgetSome()
		}
	}
}

// Finding what to evict takes a look at all keywords of an actor. So much is evicted at once that this
// does not take longer than recording what it makes room for, however many they are.
const (
	minShortened  = 64 // chunks
	evictionShare = 32 // of that part of its keywords an actor loses a chunk, or all
)

// shorten evicts the oldest chunks of the keywords that have most of them.
func (a *actor) shorten() bool {
	arena, most := &a.store.arena, 0
	for _, s := range a.series {
		if n := s.chunks(); n > most && s.oldest(arena) != nil {
			most = n
		}
	}
	if most == 0 {
		return false
	}
	enough := max(minShortened, len(a.series)/evictionShare)
	rest := most - 1 - most/8 // one that has far more than the others loses many
	for _, s := range a.series {
		for s.chunks() > rest && enough > 0 {
			c := s.oldest(arena)
			if c == nil {
				break
			}
			c.evict(arena)
			a.charge(-chunkBytes)
			enough--
		}
	}
	return true
}

// forgetSome removes the keywords that were heard least recently, or an actor without any.
func (a *actor) forgetSome() {
	if len(a.series) == 0 {
		a.evict()
		return
	}
	oldest := slices.Clone(a.series)
	slices.SortFunc(oldest, func(x, y *series) int { return cmp.Compare(x.heard, y.heard) })
	oldest = oldest[:max(1, len(oldest)/evictionShare)]
	for _, s := range oldest {
		a.lost = max(a.lost, s.heard+1)
		a.removeSeries(s)
	}
	a.store.evictedSeries += uint64(len(oldest))
}

// forgetMembers removes some members of a node that has too many: those that were heard least recently.
func (a *actor) forgetMembers(n *node) {
	type member struct {
		*node
		heard int64 // 0 without a value
	}
	all := make([]member, 0, len(n.children))
	for _, c := range n.children {
		one := member{c, 0}
		c.each(func(s *series) { one.heard = max(one.heard, s.heard) })
		all = append(all, one)
	}
	slices.SortFunc(all, func(x, y member) int { return cmp.Compare(x.heard, y.heard) })
	for _, one := range all[:max(1, len(all)/evictionShare)] {
		if one.heard > 0 {
			a.lost = max(a.lost, one.heard+1)
		}
		a.forget(one.node)
	}
}

// forget removes a node with everything below it.
func (a *actor) forget(n *node) {
	for _, c := range n.children {
		a.forget(c)
	}
	for _, c := range slices.Clone(n.items) {
		if c != nil {
			a.forget(c)
		}
	}
	for _, s := range slices.Concat(n.numbers, n.states) {
		a.removeSeries(s)
		a.store.evictedSeries++
	}
	if !n.removed {
		a.prune(n)
	}
}

// evict removes the actor for want of room.
func (a *actor) evict() {
	a.home.lost = max(a.home.lost, a.heard+1)
	a.remove()
}

// remove removes the actor with all that is known of it.
func (a *actor) remove() {
	p := a.home
	for len(a.series) > 0 {
		a.removeSeries(a.series[len(a.series)-1])
	}
	a.charge(-a.bytes)
	last := p.order[len(p.order)-1]
	p.order[a.at], last.at = last, a.at
	p.order[len(p.order)-1] = nil
	p.order = p.order[:len(p.order)-1]
	delete(p.actors, a.name)
}

// expireOne looks at one actor in turn for what is too old.
func (s *Store) expireOne() {
	all := s.live.order
	if len(all) == 0 || s.now-s.swept < sweepMS/int64(len(all)) {
		return
	}
	s.swept = s.now
	s.sweep = (s.sweep + 1) % len(all)
	a, horizon := all[s.sweep], s.now-keptMS
	for i := len(a.series) - 1; i >= 0; i-- {
		one := a.series[i]
		if one.heard < horizon {
			a.removeSeries(one)
			continue
		}
		before := one.chunks()
		one.expire(&s.arena, s.now)
		a.charge((one.chunks() - before) * chunkBytes)
	}
	a.silent = slices.DeleteFunc(a.silent, func(g Span) bool { return g.To < horizon })
	s.gaps = slices.DeleteFunc(s.gaps, func(g Span) bool { return g.To < horizon })
	if len(a.series) == 0 && a.heard < horizon {
		a.remove()
	}
}
