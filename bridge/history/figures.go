package history

import (
	"cmp"
	"slices"
	"time"
)

// Figures are the figures of a store.
type Figures struct {
	Bytes, Series int
	// EvictedChunks counts parts of about 200 changes or 60 minutes of one keyword that were
	// dropped for want of memory, and EvictedSeries keywords.
	EvictedChunks, EvictedSeries uint64
	// LeftOut counts members and items that were not kept: items of too long lists, what was too
	// deep, and names that are too long.
	LeftOut uint64
}

// Figures returns the current figures.
func (s *Store) Figures() Figures {
	s.mu.Lock()
	defer s.mu.Unlock()
	f := Figures{Bytes: s.bytes, EvictedChunks: s.arena.evicted, EvictedSeries: s.evictedSeries, LeftOut: s.leftOut}
	for _, a := range s.live.order {
		f.Series += len(a.series)
	}
	return f
}

// Gap records a span of time in which the bridge may have missed replies.
func (s *Store) Gap(from, to time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	g := Span{from.UnixMilli(), to.UnixMilli()}
	if from.IsZero() {
		g.From = g.To
	}
	// Those that a stream's past tells come after later ones.
	at, _ := slices.BinarySearchFunc(s.gaps, g, func(a, b Span) int { return cmp.Compare(a.To, b.To) })
	s.gaps = slices.Insert(s.gaps, at, g)
	s.gaps = s.gaps[max(0, len(s.gaps)-maxSpans):]
	s.gapCount++
}

func (s *Store) gapsIn(q *Query) []Span {
	s.mu.Lock()
	defer s.mu.Unlock()
	return spansIn(s.gaps, q)
}
