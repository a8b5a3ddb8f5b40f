package history

// span is a value of a keyword that is no number, from a time on in milliseconds.
type span struct {
	t     int64
	value []byte // as JSON
}

// longestState is the length of the longest value that is kept whole, as JSON in bytes: it fits
// into a chunk.
const longestState = 160

// knownStates is how many texts of a chunk can be repeated by their number.
const knownStates = 15

// stateText is where a text is in its chunk, in bytes.
type stateText struct{ at, len uint16 }

// stateDictionary has the texts of a chunk. A new one replaces the oldest.
type stateDictionary struct {
	texts [knownStates]stateText
	n     uint8 // how many there were
}

func (d *stateDictionary) add(t stateText) {
	d.texts[d.n%knownStates] = t
	d.n++
	if d.n == 2*knownStates {
		d.n = knownStates
	}
}

func (d *stateDictionary) len() int { return min(int(d.n), knownStates) }

// stateColumn holds each change of a keyword that is no number.
//
//	chunk: for each change
//	rice(milliseconds)  number:4                              a text that is in the chunk
//	rice(milliseconds)  0:4  length:8  padding  the bytes     another
type stateColumn struct {
	column
	t     int64 // of the last change
	rice  rice
	known stateDictionary
}

// add appends a change. The value has at most [longestState] bytes.
func (c *stateColumn) add(a *arena, s span) {
	if c.tail == 0 || !c.tryAdd(a.at(c.tail), s) {
		k := c.extend(a, s.t)
		k.rices[0], c.t, c.known = c.rice, s.t, stateDictionary{}
		c.tryAdd(k, s)
		for c.chunks > maxChunks {
			c.evict(a)
		}
	}
}

func (c *stateColumn) tryAdd(k *chunk, s span) bool {
	w := bitWriter{words: &k.words, at: uint(k.bits)}
	before := c.rice
	c.rice.put(&w, zigzag(s.t-c.t))
	number := c.known.find(k, s.value)
	w.put(uint64(number), 4)
	var fresh stateText
	if number == 0 {
		w.put(uint64(len(s.value)), 8)
		w.put(0, -w.at&7)
		fresh = stateText{uint16(w.at / 8), uint16(len(s.value))}
		for _, b := range s.value {
			w.put(uint64(b), 8)
		}
	}
	if w.over {
		w.cut(uint(k.bits))
		c.rice = before
		return false
	}
	if number == 0 {
		c.known.add(fresh)
	}
	c.t = s.t
	k.bits, k.n, k.last = uint16(w.at), k.n+1, max(k.last, s.t)
	return true
}

// find returns the number of a text in a chunk, from 1; 0 if it is not there.
func (d *stateDictionary) find(k *chunk, text []byte) int {
	for i := range d.len() {
		if t := d.texts[i]; int(t.len) == len(text) && k.has(t, text) {
			return i + 1
		}
	}
	return 0
}

func (k *chunk) has(t stateText, text []byte) bool {
	for i, b := range text {
		if k.byte(int(t.at)+i) != b {
			return false
		}
	}
	return true
}

func (k *chunk) byte(i int) byte { return byte(k.words[i/8] >> (i % 8 * 8)) }

// spans calls yield for each change in a chunk. The value is valid during the call.
func (k *chunk) spans(yield func(span)) {
	r := bitReader{words: &k.words}
	rice, t := k.rices[0], k.first
	var known stateDictionary
	var buf [longestState]byte
	for range k.n {
		t += unzigzag(rice.get(&r))
		number := int(r.get(4))
		var text stateText
		if number == 0 {
			n := uint16(r.get(8))
			r.at += -r.at & 7
			text = stateText{uint16(r.at / 8), n}
			r.at += 8 * uint(n)
			known.add(text)
		} else {
			text = known.texts[number-1]
		}
		value := buf[:text.len]
		for i := range value {
			value[i] = k.byte(int(text.at) + i)
		}
		yield(span{t, value})
	}
}
