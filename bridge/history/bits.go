package history

import "math/bits"

// bitWriter appends bits to the words of a chunk. A chunk that is full is not changed beyond its
// end: the writer remembers that it did not fit.
type bitWriter struct {
	words *[chunkWords]uint64
	at    uint // in bits
	over  bool // something did not fit
}

// put appends the n lowest bits of v, which has no others. n is at most 64.
func (w *bitWriter) put(v uint64, n uint) {
	if n == 0 || w.at+n > chunkWords*64 {
		w.over = w.over || n > 0
		return
	}
	i, off := w.at>>6, w.at&63
	w.words[i] |= v << off
	if off+n > 64 {
		w.words[i+1] |= v >> (64 - off)
	}
	w.at += n
}

// cut removes everything after a position.
func (w *bitWriter) cut(at uint) {
	i := at >> 6
	if i < chunkWords {
		w.words[i] &= 1<<(at&63) - 1
		clear(w.words[i+1:])
	}
	w.at, w.over = at, false
}

// bitReader reads what a bitWriter has written. It must not be used beyond the end.
type bitReader struct {
	words *[chunkWords]uint64
	at    uint
}

func (r *bitReader) get(n uint) uint64 {
	if n == 0 {
		return 0
	}
	i, off := r.at>>6, r.at&63
	v := r.words[i] >> off
	if off+n > 64 {
		v |= r.words[i+1] << (64 - off)
	}
	r.at += n
	if n == 64 {
		return v
	}
	return v & (1<<n - 1)
}

// ones returns how many one bits follow, up to most of them, and skips the zero bit behind fewer.
func (r *bitReader) ones(most uint) uint {
	n := uint(0)
	for n < most && r.get(1) == 1 {
		n++
	}
	return n
}

// rice is the state of a column of small numbers: a Golomb-Rice code whose parameter follows the
// numbers, as in the code of H. Malvar's "Adaptive run-length / Golomb-Rice encoding" (2006). It is
// eight times the number of low bits that are written as they are.
type rice uint16

const (
	riceScale  = 8
	maxRice    = 60 * riceScale
	longestRun = 12 // of ones; after these, the number follows as it is
)

// put appends a number.
func (k *rice) put(w *bitWriter, v uint64) {
	low := uint(*k) / riceScale
	q := v >> low
	if q >= longestRun {
		w.put(1<<longestRun-1, longestRun)
		w.put(v, 64)
		*k = rice(min(maxRice, bits.Len64(v)*riceScale))
		return
	}
	w.put(1<<q-1, uint(q)+1)
	w.put(v&(1<<low-1), low)
	k.follow(q)
}

func (k *rice) get(r *bitReader) uint64 {
	low := uint(*k) / riceScale
	q := uint64(r.ones(longestRun))
	if q == longestRun {
		v := r.get(64)
		*k = rice(min(maxRice, bits.Len64(v)*riceScale))
		return v
	}
	v := q<<low | r.get(low)
	k.follow(q)
	return v
}

// follow adapts the parameter to a number that was written with a quotient.
func (k *rice) follow(q uint64) {
	if q == 0 {
		*k -= min(*k, 2)
	} else if q > 1 {
		*k = min(maxRice, *k+rice(q))
	}
}

// zigzag maps small numbers of either sign to small numbers.
func zigzag(v int64) uint64 { return uint64(v)<<1 ^ uint64(v>>63) }

func unzigzag(v uint64) int64 { return int64(v>>1) ^ -int64(v&1) }
