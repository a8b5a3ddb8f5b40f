package filter

import (
	"slices"
	"strings"
	"unicode/utf8"
)

// glob is a pattern that is matched rune by rune, in time linear in the text. To
// path.Match, / and \ are special, its * goes by bytes, so that [^a] behind it may
// match half of an é, and it says nothing about what is wrong.
//
// The stars cut it into segments. The first stands at the text's beginning and the
// last at its end; those between them are searched for from left to right, each
// behind the one before it. A segment has a fixed number of characters, so its first
// occurrence is as good as any other, and nothing is ever tried again.
type glob struct {
	star   bool // without one, head is all there is
	head   segment
	middle []segment
	tail   segment
}

// segment is a run of elements without a star: plain text, or a set of characters
// for each place.
type segment struct {
	text string // if chars is nil
	wild *classes
}

// classes says which places of a segment accept a character, as bit masks: those of
// characters from bounds[i] to before bounds[i+1] are masks[i*words : (i+1)*words].
type classes struct {
	places int
	words  int    // of 64 places each
	bounds []rune // ascending; the first is notUTF8
	masks  []uint64
}

// notUTF8 stands for a byte that is not UTF-8: a character of its own, which only ?,
// * and [^a] match.
const notUTF8 = -1

// Match reports whether the glob matches a whole text. It does not allocate.
func (g *glob) Match(text string) bool {
	ok, _ := g.match(text)
	return ok
}

// match also tells how many bytes of the text were looked at: no more than it has.
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

// slow reports whether there is more than plain text to search for.
func (g *glob) slow() bool {
	return slices.ContainsFunc(g.middle, func(s segment) bool { return s.wild != nil })
}

// prefix reports whether the text begins with the segment, and how long that is.
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

// find is the end of the segment's first occurrence, or -1.
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

// maxWords is enough for the places of a value of maxLength.
const maxWords = (maxLength + 63) / 64

// find searches with a bit for each place: it is set while the places up to that one
// accept the characters up to here (the shift-and algorithm).
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

// mask is the places that accept a character.
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

// firstChar and lastChar decode a character of a text that has some.
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
