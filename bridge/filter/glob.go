package filter

import (
	"slices"
	"strings"
	"unicode/utf8"
)

// glob is a pattern that is matched rune by rune, in time linear in the text. [path.Match] is
// unsuitable: it treats / and \ as special, its * counts bytes, so that [^a] after it may match
// half of an é, and its errors do not explain what is wrong.
//
// The stars split a glob into segments. The first must be at the text's beginning and the last at
// its end; those between are searched from left to right, each after the one before. A segment has
// a fixed number of characters, so its first occurrence is as good as any other, and there is no
// backtracking.
type glob struct {
	star   bool // without a star, head is the whole pattern
	head   segment
	middle []segment
	tail   segment
}

// segment is a run of elements without a star: plain text, or a set of characters for
// each position.
type segment struct {
	text string // used if chars is nil
	wild *classes
}

// classes maps characters to the positions of a segment that accept them, as bit masks:
// the mask of characters from bounds[i] to before bounds[i+1] is masks[i*words :
// (i+1)*words].
type classes struct {
	places int
	words  int    // of 64 positions each
	bounds []rune // ascending; the first is notUTF8
	masks  []uint64
}

// notUTF8 stands for a byte that is not UTF-8: a character that only ?, * and [^a]
// match.
const notUTF8 = -1

// Match reports whether the glob matches a whole text. It does not allocate.
func (g *glob) Match(text string) bool {
	ok, _ := g.match(text)
	return ok
}

// match also returns how many bytes of the text were read, at most its length.
func (g *glob) match(text string) (ok bool, looked int) {
	n, ok := g.head.prefix(text)
	if looked = n; !ok {
		return false, looked
	}
	if text = text[n:]; !g.star {
		return text == "", looked
	}
	if n, ok = g.tail.suffix(text); !ok {
		return false, looked + n
	}
	looked += n
	text = text[:len(text)-n]
	for i := range g.middle {
		end := g.middle[i].find(text)
		if end < 0 {
			return false, looked + len(text)
		}
		looked += end
		text = text[end:]
	}
	return true, looked
}

// slow reports whether matching looks at each character by itself.
func (g *glob) slow() bool {
	return slices.ContainsFunc(g.middle, func(s segment) bool { return s.wild != nil })
}

// prefix reports whether the text begins with the segment, and the length of the match.
func (s *segment) prefix(text string) (n int, ok bool) {
	if s.wild == nil {
		return min(len(s.text), len(text)), strings.HasPrefix(text, s.text)
	}
	for place := range s.wild.places {
		if n == len(text) {
			return n, false
		}
		char, size := firstChar(text[n:])
		if n += size; !s.wild.accepts(place, char) {
			return n, false
		}
	}
	return n, true
}

// suffix is prefix for the text's end.
func (s *segment) suffix(text string) (n int, ok bool) {
	if s.wild == nil {
		return min(len(s.text), len(text)), strings.HasSuffix(text, s.text)
	}
	for place := s.wild.places - 1; place >= 0; place-- {
		if n == len(text) {
			return n, false
		}
		char, size := lastChar(text[:len(text)-n])
		if n += size; !s.wild.accepts(place, char) {
			return n, false
		}
	}
	return n, true
}

// find returns the end of the segment's first occurrence, or -1.
func (s *segment) find(text string) int {
	if s.wild != nil {
		return s.wild.find(text)
	}
	at := strings.Index(text, s.text)
	if at < 0 {
		return -1
	}
	return at + len(s.text)
}

// maxWords is enough for the positions of a value of maxLength.
const maxWords = (maxLength + 63) / 64

// find searches with the shift-and algorithm: bit i of the state is set if positions 0
// to i accept the characters read last.
func (c *classes) find(text string) int {
	var state [maxWords]uint64
	last, bit := (c.places-1)/64, uint64(1)<<((c.places-1)%64)
	for at := 0; at < len(text); {
		char, size := firstChar(text[at:])
		at += size
		mask := c.mask(char)
		carry := uint64(1)
		for w := range c.words {
			next := state[w] >> 63
			state[w] = (state[w]<<1 | carry) & mask[w]
			carry = next
		}
		if state[last]&bit != 0 {
			return at
		}
	}
	return -1
}

func (c *classes) accepts(place int, char rune) bool {
	return c.mask(char)[place/64]>>(place%64)&1 != 0
}

// mask returns the positions that accept a character.
func (c *classes) mask(char rune) []uint64 {
	low, high := 0, len(c.bounds) // bounds[low] <= char < bounds[high]
	for high-low > 1 {
		middle := int(uint(low+high) >> 1)
		if c.bounds[middle] <= char {
			low = middle
		} else {
			high = middle
		}
	}
	return c.masks[low*c.words : (low+1)*c.words]
}

// firstChar and lastChar decode a character of a nonempty text.
func firstChar(text string) (rune, int) {
	if text[0] < utf8.RuneSelf {
		return rune(text[0]), 1
	}
	return checked(utf8.DecodeRuneInString(text))
}

func lastChar(text string) (rune, int) {
	if last := text[len(text)-1]; last < utf8.RuneSelf {
		return rune(last), 1
	}
	return checked(utf8.DecodeLastRuneInString(text))
}

func checked(char rune, size int) (rune, int) {
	if char == utf8.RuneError && size == 1 {
		return notUTF8, 1
	}
	return char, size
}
