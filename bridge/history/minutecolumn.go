package history

// minuteMS is the width of the buckets that are kept, in milliseconds.
const minuteMS = 60_000

// bucket is what a numeric keyword was in a span of time.
type bucket struct {
	start    int64   // in units of the bucket's width
	count    int64   // of the values that were noted
	min, max decimal // null without a number
	last     decimal // the value noted last
}

// add adds a value.
func (b *bucket) add(v decimal) {
	b.count++
	b.last = v
	if v.mark != number {
		return
	}
	if b.min.mark != number || v.compare(b.min) < 0 {
		b.min = v
	}
	if b.max.mark != number || v.compare(b.max) > 0 {
		b.max = v
	}
}

// merge adds a bucket whose values were noted later.
func (b *bucket) merge(o *bucket) {
	b.count += o.count
	b.last = o.last
	if o.min.mark != number {
		return
	}
	if b.min.mark != number || o.min.compare(b.min) < 0 {
		b.min = o.min
	}
	if b.max.mark != number || o.max.compare(b.max) > 0 {
		b.max = o.max
	}
}

// newBucket returns a bucket without values.
func newBucket(start int64) bucket {
	return bucket{start: start, min: decimal{mark: null}, max: decimal{mark: null}}
}

// minuteState is what both ends of a column of minutes know after each of them.
type minuteState struct {
	minute, count int64
	m             int64 // of the last value, at exponent e
	e             int16
}

// minuteColumn holds a bucket for each minute in which a numeric keyword changed.
//
//	chunk: minute, e, m as they were before it, then for each bucket
//	0  rice(minutes)  rice(change of the count)  rice(change of last)  rice(last - min)  rice(max - last)
//	1  last.mark:3  rice(minutes)  rice(change of the count)  [e m of last]  has:1 [e m of min  e m of max]
//
// The second form is for values that have no common exponent, or marks.
type minuteColumn struct {
	column
	state minuteState
	rices [4]rice // of the minutes, the counts, the last values, and the distances to min and max
}

// add appends a bucket.
func (c *minuteColumn) add(a *arena, b *bucket) {
	if c.tail == 0 || !c.tryAdd(a.at(c.tail), b) {
		c.begin(c.extend(a, b.start*minuteMS))
		c.tryAdd(a.at(c.tail), b)
		for c.chunks > maxChunks {
			c.evict(a)
		}
	}
}

func (c *minuteColumn) begin(k *chunk) {
	k.rices = c.rices
	w := bitWriter{words: &k.words}
	c.state.minute = k.first/minuteMS - 1 // as a reader finds it
	putWhole(&w, c.state.count)
	putExponent(&w, c.state.e)
	putWhole(&w, c.state.m)
	k.bits = uint16(w.at)
}

func (c *minuteColumn) tryAdd(k *chunk, b *bucket) bool {
	w := bitWriter{words: &k.words, at: uint(k.bits)}
	before, rices := c.state, c.rices
	c.put(&w, b)
	if w.over {
		w.cut(uint(k.bits))
		c.state, c.rices = before, rices
		return false
	}
	k.bits, k.n, k.last = uint16(w.at), k.n+1, max(k.last, b.start*minuteMS)
	return true
}

func (c *minuteColumn) put(w *bitWriter, b *bucket) {
	s := &c.state
	last, low, high, near := b.near(s.e)
	if near {
		w.put(0, 1)
	} else {
		w.put(1|uint64(b.last.mark)<<1, 4)
	}
	c.rices[0].put(w, zigzag(b.start-s.minute-1))
	c.rices[1].put(w, zigzag(b.count-s.count))
	s.minute, s.count = b.start, b.count
	if near {
		c.rices[2].put(w, zigzag(last-s.m))
		c.rices[3].put(w, uint64(last-low))
		c.rices[3].put(w, uint64(high-last))
		s.m = last
		return
	}
	if b.last.mark == number {
		putExponent(w, b.last.e)
		putWhole(w, b.last.m)
		s.e, s.m = b.last.e, b.last.m
	}
	if b.min.mark != number {
		w.put(0, 1)
		return
	}
	w.put(1, 1)
	for _, d := range [...]decimal{b.min, b.max} {
		putExponent(w, d.e)
		putWhole(w, d.m)
		if d.e < s.e { // the following buckets may have as many decimals
			s.e, s.m = d.e, d.m
		}
	}
}

// near returns the bucket's values at an exponent, if they have it in common.
func (b *bucket) near(e int16) (last, low, high int64, ok bool) {
	if b.last.mark != number {
		return 0, 0, 0, false
	}
	last, a := b.last.at(e)
	low, c := b.min.at(e)
	high, d := b.max.at(e)
	return last, low, high, a && c && d
}

// buckets calls yield for each bucket of a chunk.
func (k *chunk) buckets(yield func(*bucket)) {
	r := bitReader{words: &k.words}
	rices := k.rices
	s := minuteState{minute: k.first/minuteMS - 1}
	s.count = getWhole(&r)
	s.e = getExponent(&r)
	s.m = getWhole(&r)
	for range k.n {
		other, last := r.get(1) == 1, number
		if other {
			last = mark(r.get(3))
		}
		s.minute += 1 + unzigzag(rices[0].get(&r))
		s.count += unzigzag(rices[1].get(&r))
		b := newBucket(s.minute)
		b.count = s.count
		if other {
			s.other(&r, &b, last)
		} else {
			s.m += unzigzag(rices[2].get(&r))
			low := s.m - int64(rices[3].get(&r))
			high := s.m + int64(rices[3].get(&r))
			b.last, b.min, b.max = whole(s.m, s.e), whole(low, s.e), whole(high, s.e)
		}
		yield(&b)
	}
}

// other reads the values of a bucket in the second form.
func (s *minuteState) other(r *bitReader, b *bucket, last mark) {
	b.last = decimal{mark: last}
	if last == number {
		s.e = getExponent(r)
		s.m = getWhole(r)
		b.last = whole(s.m, s.e)
	}
	if r.get(1) == 0 {
		return
	}
	for _, d := range [...]*decimal{&b.min, &b.max} {
		e := getExponent(r)
		m := getWhole(r)
		*d = whole(m, e)
		if e < s.e {
			s.e, s.m = e, m
		}
	}
}

func whole(m int64, e int16) decimal {
	d := decimal{m: m}
	d.canonical(int(e))
	return d
}
