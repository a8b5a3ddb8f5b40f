package history

import (
	"bytes"
	"cmp"
	"slices"
)

// stateReading collects what a query is told of values that are no numbers.
type stateReading struct {
	query   *Query
	heard   int64
	oldest  int64
	all     []span
	held    span
	hasHeld bool
	texts   map[string][]byte // one copy of each
}

func newStateReading(q *Query) *stateReading {
	return &stateReading{query: q, texts: map[string][]byte{}}
}

// span collects a change.
func (r *stateReading) span(s span) {
	if r.oldest == 0 || s.t < r.oldest {
		r.oldest = s.t
	}
	if s.t > r.query.To {
		return
	}
	text, ok := r.texts[string(s.value)]
	if !ok {
		text = bytes.Clone(s.value)
		r.texts[string(text)] = text
	}
	s.value = text
	if s.t >= r.query.From {
		r.all = append(r.all, s)
	} else if !r.hasHeld || s.t >= r.held.t {
		r.held, r.hasHeld = s, true
	}
}

// onlyNull reports whether there was nothing but null, as before a keyword is a number for the first
// time.
func (r *stateReading) onlyNull() bool {
	_, null := r.texts["null"]
	return len(r.texts) == 0 || len(r.texts) == 1 && null
}

// stateBucket is the last of some changes.
type stateBucket struct {
	span
	count int64
}

// spans returns the changes in the order of their times, first the one that holds at from. If there
// are more than the query has points, those of a bucket become one, which is the last of them; then
// width is not 0.
func (r *stateReading) spans() (all []stateBucket, width int64) {
	byTime := func(a, b span) int { return cmp.Compare(a.t, b.t) }
	if !slices.IsSortedFunc(r.all, byTime) {
		slices.SortStableFunc(r.all, byTime)
	}
	if len(r.all) > r.query.Points {
		width = widthOf(r.query)
	}
	if r.hasHeld && (len(r.all) == 0 || r.all[0].t > r.query.From) {
		all = append(all, stateBucket{span: r.held})
	}
	for _, s := range r.all {
		last := len(all) - 1
		if last >= 0 && bytes.Equal(all[last].value, s.value) {
			continue // said again, as where a stream's past was joined
		}
		if width > 0 && last >= 0 && all[last].count > 0 && floorDiv(all[last].t, width) == floorDiv(s.t, width) {
			all[last].value = s.value
			all[last].count++
			continue
		}
		if width > 0 {
			s.t = floorDiv(s.t, width) * width
		}
		all = append(all, stateBucket{s, 1})
	}
	return all, width
}
