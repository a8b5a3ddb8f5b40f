package history

import (
	"cmp"
	"slices"
)

// numberReading collects what a query is told of numbers.
//
//	from          minutesUntil            to
//	  │ of minutes      │ of each change   │
//
// Points are collected while they may be few enough to be told as they are, and always in
// buckets.
type numberReading struct {
	query        *Query
	from, to     int64 // bounds of whole buckets
	width        int64 // of the buckets
	minutes      bool  // all from the minutes
	minutesUntil int64 // before this time, each change is not known
	heard        int64
	oldest       int64

	few    []point // nil if they are too many
	many   bool
	fine   []bucket  // of changes, by start/width
	coarse []bucket  // of minutes; by start/width if all are from the minutes
	before heldPoint // the value at from
	atFrom heldPoint // the value at query.From
}

func newNumberReading(q *Query, all []*series) *numberReading {
	r := &numberReading{query: q, width: widthOf(q)}
	known, begin := int64(0), floorDiv(q.From, r.width)*r.width
	for _, s := range all {
		if s.numbers.raw.since > begin {
			known = max(known, s.numbers.raw.since)
		}
	}
	r.minutes = known > 0 && r.width >= minuteMS
	unit := r.width
	if known > 0 {
		r.minutesUntil = floorDiv(known+minuteMS-1, minuteMS) * minuteMS
		unit = max(unit, minuteMS)
	}
	r.from = floorDiv(q.From, unit) * unit
	r.to = (floorDiv(q.To, r.width) + 1) * r.width
	r.many = known > 0
	return r
}

// heldPoint is the last of the points before a time, if there is one.
type heldPoint struct {
	point
	ok bool
}

func (h *heldPoint) note(p point, until int64) {
	if p.t < until && (!h.ok || p.t >= h.t) {
		h.point, h.ok = p, true
	}
}

// note records the time of the oldest value, and the values that held.
func (r *numberReading) note(p point) {
	if r.oldest == 0 || p.t < r.oldest {
		r.oldest = p.t
	}
	r.before.note(p, r.from)
	r.atFrom.note(p, r.query.From)
}

// point collects a change.
func (r *numberReading) point(p point) {
	r.note(p)
	if p.t < max(r.from, r.minutesUntil) || p.t >= r.to {
		return
	}
	if !r.many && p.t <= r.query.To && p.t >= r.query.From {
		if r.few = append(r.few, p); len(r.few) > r.query.Points {
			r.many, r.few = true, nil
		}
	}
	var at int
	r.fine, at = insert(r.fine, floorDiv(p.t, r.width))
	r.fine[at].add(p.v)
}

// minute collects a bucket of the minutes.
func (r *numberReading) minute(b *bucket) {
	t := b.start * minuteMS
	r.note(point{t, b.last})
	if t < r.from || t >= r.to || !r.minutes && t >= r.minutesUntil {
		return
	}
	width := int64(minuteMS)
	if r.minutes {
		width = r.width
	}
	var at int
	r.coarse, at = insert(r.coarse, floorDiv(t, width))
	r.coarse[at].merge(b)
}

// points returns the points in the order of their times, and the first one, which holds at from.
func (r *numberReading) points() []point {
	byTime := func(a, b point) int { return cmp.Compare(a.t, b.t) }
	if !slices.IsSortedFunc(r.few, byTime) {
		slices.SortStableFunc(r.few, byTime)
	}
	if r.atFrom.ok && (len(r.few) == 0 || r.few[0].t > r.query.From) {
		r.few = append([]point{r.atFrom.point}, r.few...)
	}
	// A value may be said again, as where a stream's past was joined.
	return slices.CompactFunc(r.few, func(a, b point) bool { return a.v == b.v })
}
