package history

import "hash/maphash"

// Memory of an actor, a node of its tree and a series in addition to texts and chunks, in bytes. A
// test compares these with the heap.
const (
	actorCost  = 1000
	nodeCost   = 226
	seriesCost = 88
	numberCost = 232
	stateCost  = 120
)

// series is what one keyword was, as far as one origin said it: numbers, or values of other kinds.
type series struct {
	node   *node
	origin *Origin
	at     int   // in actor.series
	began  int64 // when it was recorded for the first time
	heard  int64 // when the keyword was heard last

	numbers *numbers // nil if it is one of states
	states  *states
}

// numbers are the values of a numeric keyword.
type numbers struct {
	last    decimal
	raw     rawColumn
	minutes minuteColumn
	open    bucket // the current minute; without values at first
}

// add records a value that has changed.
func (n *numbers) add(a *arena, p point) {
	n.last = p.v
	n.raw.add(a, p)
	minute := floorDiv(p.t, minuteMS)
	if n.open.count > 0 && n.open.start != minute {
		n.close(a)
	}
	if n.open.count == 0 {
		n.open = newBucket(minute)
	}
	n.open.add(p.v)
}

// close ends the current minute.
func (n *numbers) close(a *arena) {
	if n.open.count > 0 {
		n.minutes.add(a, &n.open)
		n.open.count = 0
	}
}

// states are the values of a keyword that is no number.
type states struct {
	changes stateColumn
	hash    uint64 // of the last value
}

var hashSeed = maphash.MakeSeed()

// add records a value if it has changed, or if that is forced.
func (s *states) add(a *arena, t int64, value []byte, force bool) {
	hash := maphash.Bytes(hashSeed, value)
	if hash == s.hash && s.changes.chunks > 0 && !force {
		return
	}
	s.hash = hash
	s.changes.add(a, span{t, shortened(a.short[:0], value)})
}

// shortened returns a value as it is kept: a long text loses its end, which becomes an ellipsis, and is
// written to dst.
func shortened(dst, value []byte) []byte {
	if len(value) <= longestState {
		return value
	}
	const ellipsis = `…"`
	end := longestState - len(ellipsis)
	// Neither a character nor an escape is cut: of an escape, everything from its backslash on goes.
	for end > 0 && value[end]&0xC0 == 0x80 {
		end--
	}
	for at := max(1, end-5); at < end; at++ {
		if value[at] == '\\' && escapeEnd(value, at) > end {
			end = at
		}
	}
	if slashes(value[:end])%2 == 1 {
		end--
	}
	return append(append(dst, value[:end]...), ellipsis...)
}

// escapeEnd returns the offset after an escape that may begin at an offset.
func escapeEnd(value []byte, at int) int {
	if slashes(value[:at])%2 == 0 && at+1 < len(value) && value[at+1] == 'u' {
		return at + 6
	}
	return at
}

// slashes returns how many backslashes a text ends with.
func slashes(text []byte) int {
	n := 0
	for n < len(text) && text[len(text)-1-n] == '\\' {
		n++
	}
	return n
}

// columns calls do for each column of the series.
func (s *series) columns(do func(*column)) {
	if s.numbers != nil {
		do(&s.numbers.raw.column)
		do(&s.numbers.minutes.column)
	} else {
		do(&s.states.changes.column)
	}
}

// chunks returns how many chunks the series has.
func (s *series) chunks() int {
	if s.numbers != nil {
		return s.numbers.raw.chunks + s.numbers.minutes.chunks
	}
	return s.states.changes.chunks
}

// cost is the memory of the series without its chunks.
func (s *series) cost() int {
	if s.numbers != nil {
		return seriesCost + numberCost
	}
	return seriesCost + stateCost
}

// oldest returns the column with the oldest chunk that can be evicted, or nil.
func (s *series) oldest(a *arena) (c *column) {
	s.columns(func(o *column) {
		if o.chunks > 1 && (c == nil || a.at(o.head).first < a.at(c.head).first) {
			c = o
		}
	})
	return c
}

// expire drops what is too old.
func (s *series) expire(a *arena, now int64) {
	if s.numbers != nil {
		s.numbers.raw.expire(a, now-rawMS)
		s.numbers.minutes.expire(a, now-keptMS)
	} else {
		s.states.changes.expire(a, now-keptMS)
	}
}

// prepend puts an older series of the same kind in front.
func (s *series) prepend(a *arena, older *series) {
	if s.numbers != nil {
		older.numbers.close(a)
		s.numbers.raw.prepend(a, &older.numbers.raw.column)
		s.numbers.minutes.prepend(a, &older.numbers.minutes.column)
	} else {
		s.states.changes.prepend(a, &older.states.changes.column)
	}
}

func floorDiv(a, b int64) int64 {
	q := a / b
	if a%b < 0 {
		q--
	}
	return q
}
