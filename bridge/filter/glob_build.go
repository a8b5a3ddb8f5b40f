package filter

import (
	"slices"
	"strings"
	"unicode/utf8"
)

// token is one element of a glob.
type token struct {
	kind  tokenKind
	char  rune
	class class
}

type tokenKind byte

const (
	oneChar  tokenKind = iota // char itself
	anyChar                   // ?
	inClass                   // [abc]
	anything                  // *
)

// class is a set of characters.
type class struct {
	not    bool
	ranges []runeRange
}

type runeRange struct{ from, to rune }

// compile compiles tokens into a glob.
func compile(tokens []token) *glob {
	g := &glob{}
	for first := true; ; first = false {
		star := slices.IndexFunc(tokens, func(t token) bool { return t.kind == anything })
		part := tokens
		if star >= 0 {
			part = tokens[:star]
		}
		switch s := newSegment(part); {
		case first:
			g.head = s
		case star < 0:
			g.tail = s
		default:
			g.middle = append(g.middle, s)
		}
		if star < 0 {
			return g
		}
		g.star = true
		tokens = tokens[star+1:]
	}
}

func newSegment(tokens []token) segment {
	if slices.ContainsFunc(tokens, func(t token) bool { return t.kind != oneChar }) {
		return segment{wild: newClasses(tokens)}
	}
	var text strings.Builder
	for _, t := range tokens {
		text.WriteRune(t.char)
	}
	return segment{text: text.String()}
}

// newClasses finds the characters at which the set of accepting positions changes.
func newClasses(tokens []token) *classes {
	c := &classes{places: len(tokens), words: (len(tokens) + 63) / 64, bounds: []rune{notUTF8}}
	for _, t := range tokens {
		for _, r := range t.accepted() {
			c.bounds = append(c.bounds, r.from, r.to+1)
		}
	}
	slices.Sort(c.bounds)
	c.bounds = slices.Compact(c.bounds)
	c.masks = make([]uint64, len(c.bounds)*c.words)
	for place, t := range tokens {
		for i, char := range c.bounds {
			if t.takes(char) {
				c.masks[i*c.words+place/64] |= 1 << (place % 64)
			}
		}
	}
	return c
}

// accepted returns the bounds of the characters that the token accepts or rejects.
func (t *token) accepted() []runeRange {
	switch t.kind {
	case oneChar:
		return []runeRange{{t.char, t.char}}
	case inClass:
		if t.class.not { // a byte that is not UTF-8 is not in the class
			return append([]runeRange{{0, utf8.MaxRune}}, t.class.ranges...)
		}
		return t.class.ranges
	}
	return nil
}

func (t *token) takes(char rune) bool {
	switch t.kind {
	case oneChar:
		return t.char == char
	case inClass:
		return t.class.has(char) != t.class.not
	}
	return true
}

func (c *class) has(char rune) bool {
	for _, r := range c.ranges {
		if r.from <= char && char <= r.to {
			return true
		}
	}
	return false
}
