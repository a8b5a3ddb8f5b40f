package topic

// finder finds a run of words with the shift-and algorithm: bit i of the state is set if the first i+1 words of
// the run match the last words read.
type finder struct {
	length int
	masks  map[string][]uint64 // bit i: word i of the run matches this word
	any    []uint64            // bit i: word i of the run is *
}

// maxState is enough for a routing key, which has at most 255 bytes.
const maxState = 4

func newFinder(run []string) *finder {
	f := &finder{length: len(run), masks: map[string][]uint64{}, any: make([]uint64, (len(run)+63)/64)}
	for place, word := range run {
		if word == "*" {
			f.any[place/64] |= 1 << (place % 64)
		}
	}
	for place, word := range run {
		if word == "*" {
			continue
		}
		if f.masks[word] == nil {
			f.masks[word] = append([]uint64(nil), f.any...)
		}
		f.masks[word][place/64] |= 1 << (place % 64)
	}
	return f
}

// find consumes the words up to the end of the first occurrence of the run, and reports whether there is one.
func (f *finder) find(left *words) bool {
	var room [maxState]uint64
	state := room[:]
	if len(f.any) > maxState {
		state = make([]uint64, len(f.any)) // longer than any AMQP routing key
	}
	last, bit := (f.length-1)/64, uint64(1)<<((f.length-1)%64)
	for {
		word, ok := left.first()
		if !ok {
			return false
		}
		mask := f.masks[word]
		if mask == nil {
			mask = f.any
		}
		carry := uint64(1)
		for w := range f.any {
			next := state[w] >> 63
			state[w] = (state[w]<<1 | carry) & mask[w]
			carry = next
		}
		if state[last]&bit != 0 {
			return true
		}
	}
}
