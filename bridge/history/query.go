package history

import (
	"math"
	"slices"
	"sort"
)

// Query asks what some keywords were.
type Query struct {
	// Keywords are names such as weather.wind_speed_ms, with members (dome.status.axes.0.torque) and items of
	// arrays.
	Keywords []string
	// From and To are the bounds, in milliseconds since 1970.
	From, To int64
	// Points is how many points of each keyword there should be at most.
	Points int
	// Visible reports whether the asker may hear replies of an origin. nil is everything.
	Visible func(*Origin) bool
}

// Answer is the answer to a query, which is made in steps.
//
//	Store.Ask ──► Answer.Step, until done ──► Answer.Append
type Answer struct {
	store   *Store
	query   Query
	next    int // of the keywords
	current *reading
	evicted []string
	filling bool   // a past was being read when one of the keywords was
	buf     []byte // the series so far
}

// Ask begins a query.
func (s *Store) Ask(q Query) *Answer { return &Answer{store: s, query: q} }

// stepChunks is how many chunks one step decodes: about half a millisecond's work. A keyword counts
// as a few more.
const (
	stepChunks   = 64
	keywordSteps = 4
)

// Step does a part of the work. It takes the store's lock for a moment.
func (a *Answer) Step() (done bool) {
	for left := stepChunks; left > 0; {
		if a.current == nil {
			if a.next == len(a.query.Keywords) {
				return true
			}
			a.current = a.store.read(a.query.Keywords[a.next], &a.query)
			a.filling = a.filling || a.current.filling
			a.next++
			left -= keywordSteps
		}
		if a.current.decode(&left) {
			a.finish(a.current)
			a.current = nil
		}
	}
	return false
}

// reading is a keyword while its columns are decoded. It has copies of them.
type reading struct {
	keyword string
	query   *Query
	known   bool
	filling bool // a past was being read
	silent  []Span
	began   int64 // when it was first recorded
	lost    int64 // values before this time were evicted
	parts   []part
	numbers *numberReading // nil if the keyword was never a number
	states  *stateReading
}

// part is a column of one series.
type part struct {
	what   func(r *reading, c *chunk)
	chunks []chunk
	open   *bucket // the minute that has not ended
}

// read copies what a query needs of a keyword.
func (s *Store) read(keyword string, q *Query) *reading {
	s.mu.Lock()
	defer s.mu.Unlock()
	r := &reading{keyword: keyword, query: q, began: math.MaxInt64}
	r.filling = s.past != nil
	a, n := s.find(keyword)
	if n == nil {
		r.lost = s.lostOf(keyword, q)
		return r
	}
	visible := func(all []*series) (some []*series) {
		for _, one := range all {
			if q.Visible == nil || q.Visible(one.origin) {
				some = append(some, one)
				r.began = min(r.began, one.began)
			}
		}
		return some
	}
	if some := visible(n.numbers); len(some) > 0 {
		r.known, r.numbers = true, newNumberReading(q, some)
		r.takeNumbers(&s.arena, s.now, some)
	}
	if some := visible(n.states); len(some) > 0 {
		r.known, r.states = true, newStateReading(q)
		r.takeStates(&s.arena, some)
	}
	if q.Visible == nil || q.Visible(a.others) { // silence is about all replies of the actor
		if r.known {
			r.silent = spansIn(a.silent, q)
		}
		if !r.known || r.began >= a.lost {
			r.lost = max(r.lost, a.lost)
		}
	}
	return r
}

// lostOf returns before when a keyword may have had values that were evicted with it, or 0.
func (s *Store) lostOf(keyword string, q *Query) (before int64) {
	if q.Visible == nil {
		before = s.live.lost
	}
	for end := range keyword {
		if keyword[end] == '.' {
			if a := s.live.actors[keyword[:end]]; a != nil && (q.Visible == nil || q.Visible(a.others)) {
				before = max(before, a.lost)
			}
		}
	}
	return before
}

func spansIn(all []Span, q *Query) (some []Span) {
	for _, s := range all {
		if s.To > q.From && s.From < q.To {
			some = append(some, s)
		}
	}
	return some
}

func (r *reading) takeNumbers(a *arena, now int64, all []*series) {
	out := r.numbers
	for _, s := range all {
		n := s.numbers
		out.heard = max(out.heard, s.heard)
		r.lost = max(r.lost, n.minutes.lost)
		if lost := n.raw.lost; lost > now-rawMS { // otherwise it would be too old by now
			r.lost = max(r.lost, lost)
		}
		if out.minutesUntil > out.from || out.minutes {
			open := n.open
			r.parts = append(r.parts, part{what: (*reading).minutesOf, chunks: n.minutes.copyTo(a, nil), open: &open})
		}
		if !out.minutes {
			r.parts = append(r.parts, part{what: (*reading).pointsOf, chunks: n.raw.copyTo(a, nil)})
		}
	}
}

func (r *reading) takeStates(a *arena, all []*series) {
	for _, s := range all {
		c := &s.states.changes
		r.states.heard = max(r.states.heard, s.heard)
		r.lost = max(r.lost, c.lost)
		r.parts = append(r.parts, part{what: (*reading).spansOf, chunks: c.copyTo(a, nil)})
	}
}

// decode decodes as many chunks as are left.
func (r *reading) decode(left *int) (done bool) {
	for len(r.parts) > 0 {
		p := &r.parts[0]
		for len(p.chunks) > 0 {
			if *left <= 0 {
				return false
			}
			*left--
			p.what(r, &p.chunks[0])
			p.chunks = p.chunks[1:]
		}
		if p.open != nil && p.open.count > 0 {
			r.numbers.minute(p.open)
		}
		r.parts = r.parts[1:]
	}
	return true
}

func (r *reading) pointsOf(c *chunk)  { c.points(r.numbers.point) }
func (r *reading) minutesOf(c *chunk) { c.buckets(r.numbers.minute) }
func (r *reading) spansOf(c *chunk)   { c.spans(r.states.span) }

// widths are the widths of buckets below a minute, in milliseconds: a minute is a multiple of each.
var widths = []int64{1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000, 15_000, 20_000, 30_000}

// widthOf returns the width of the buckets for a query: at most as many as it has points.
func widthOf(q *Query) int64 {
	least := max(1, (q.To-q.From+int64(q.Points)-1)/int64(q.Points))
	if i := sort.Search(len(widths), func(i int) bool { return widths[i] >= least }); i < len(widths) {
		return widths[i]
	}
	return (least + minuteMS - 1) / minuteMS * minuteMS
}

// insert returns the place of the bucket that begins at start, which it adds if need be. Most
// buckets are the last, or follow it.
func insert(all []bucket, start int64) ([]bucket, int) {
	last := len(all) - 1
	if last >= 0 && all[last].start == start {
		return all, last
	}
	if last < 0 || all[last].start < start {
		return append(all, newBucket(start)), last + 1
	}
	at := sort.Search(len(all), func(i int) bool { return all[i].start >= start })
	if all[at].start != start {
		all = slices.Insert(all, at, newBucket(start))
	}
	return all, at
}
