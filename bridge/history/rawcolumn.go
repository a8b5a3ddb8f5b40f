package history

import "math/bits"

// point is a value of a numeric keyword, from a time on in milliseconds.
type point struct {
	t int64
	v decimal
}

// rawState is what both ends of a column of points know after each of them.
type rawState struct {
	t, step int64 // the last time, and the time between the last two points
	m       int64 // of the last number, at exponent e
	e       int16
}

// rawColumn holds each change of a numeric keyword.
//
//	chunk: step, e, m as they were before it, then for each point
//	0  rice(change of the step)  rice(change of m)                a number at the same exponent
//	1  mark:3  rice(change of the step)  [e  m, if it is one]    any other
type rawColumn struct {
	column
	state rawState
	rices [2]rice // of the times, and of the values
}

// exponentBits and exponentBias write an exponent.
const (
	exponentBits = 10
	exponentBias = 1 << (exponentBits - 1)
)

// putExponent, putWhole: numbers that are not near those before them.
func putExponent(w *bitWriter, e int16) { w.put(uint64(int(e)+exponentBias), exponentBits) }

func getExponent(r *bitReader) int16 { return int16(int(r.get(exponentBits)) - exponentBias) }

func putWhole(w *bitWriter, v int64) {
	z := zigzag(v)
	n := uint(bits.Len64(z))
	w.put(uint64(n), 7)
	w.put(z, n)
}

func getWhole(r *bitReader) int64 { return unzigzag(r.get(uint(r.get(7)))) }

// add appends a point.
func (c *rawColumn) add(a *arena, p point) {
	if c.tail == 0 || !c.tryAdd(a.at(c.tail), p) {
		c.begin(c.extend(a, p.t), p.t)
		c.tryAdd(a.at(c.tail), p)
		for c.chunks > maxChunks {
			c.evict(a)
		}
	}
}

// begin writes the state to an empty chunk.
func (c *rawColumn) begin(k *chunk, first int64) {
	k.rices[0], k.rices[1] = c.rices[0], c.rices[1]
	c.state.t = first - c.state.step // as a reader finds it
	w := bitWriter{words: &k.words}
	putWhole(&w, c.state.step)
	putExponent(&w, c.state.e)
	putWhole(&w, c.state.m)
	k.bits = uint16(w.at)
}

// tryAdd appends a point to a chunk, unless it is full.
func (c *rawColumn) tryAdd(k *chunk, p point) bool {
	w := bitWriter{words: &k.words, at: uint(k.bits)}
	before, rices := c.state, c.rices
	c.put(&w, p)
	if w.over {
		w.cut(uint(k.bits))
		c.state, c.rices = before, rices
		return false
	}
	k.bits, k.n, k.last = uint16(w.at), k.n+1, max(k.last, p.t)
	return true
}

func (c *rawColumn) put(w *bitWriter, p point) {
	s := &c.state
	step := p.t - s.t
	m, near := p.v.at(s.e)
	near = near && p.v.mark == number
	if near {
		w.put(0, 1)
	} else {
		w.put(1|uint64(p.v.mark)<<1, 4)
	}
	c.rices[0].put(w, zigzag(step-s.step))
	s.t, s.step = p.t, step
	switch {
	case near:
		c.rices[1].put(w, zigzag(m-s.m))
		s.m = m
	case p.v.mark == number:
		putExponent(w, p.v.e)
		putWhole(w, p.v.m)
		s.m, s.e = p.v.m, p.v.e
	}
}

// points calls yield for each point of a chunk.
func (k *chunk) points(yield func(point)) {
	r := bitReader{words: &k.words}
	rices := [2]rice{k.rices[0], k.rices[1]}
	var s rawState
	s.step = getWhole(&r)
	s.e = getExponent(&r)
	s.m = getWhole(&r)
	s.t = k.first - s.step
	for range k.n {
		other, m := r.get(1) == 1, number
		if other {
			m = mark(r.get(3))
		}
		s.step += unzigzag(rices[0].get(&r))
		s.t += s.step
		switch {
		case !other:
			s.m += unzigzag(rices[1].get(&r))
		case m == number:
			s.e = getExponent(&r)
			s.m = getWhole(&r)
		default:
			yield(point{s.t, decimal{mark: m}})
			continue
		}
		v := decimal{m: s.m}
		v.canonical(int(s.e))
		yield(point{s.t, v})
	}
}
