package filter

import "unicode/utf8"

// glob is a pattern that is matched rune by rune. To path.Match, / and \ are special, its * goes by
// bytes, so that [^a] behind it may match half of an é, and it says nothing about what is wrong.
type glob []token

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

// Match reports whether the glob matches a whole text. It remembers only the last *, so the time is
// at worst the product of both lengths. A byte that is not UTF-8 is a character of its own, which only
// ?, * and [^a] match. It does not allocate.
func (g glob) Match(text string) bool {
	at, t := 0, 0
	star, resume := -1, 0
	for t < len(text) {
		if at < len(g) && g[at].kind == anything {
			star, resume = at, t
			if at++; at == len(g) {
				return true
			}
			continue
		}
		if char, size := firstChar(text[t:]); at < len(g) && g[at].takes(char) {
			at++
			t += size
			continue
		}
		if star < 0 {
			return false
		}
		_, size := firstChar(text[resume:]) // let the last * take one character more
		resume += size
		at, t = star+1, resume
	}
	for at < len(g) && g[at].kind == anything {
		at++
	}
	return at == len(g)
}

// firstChar decodes a character; -1 stands for a byte that is not UTF-8.
func firstChar(text string) (rune, int) {
	if text[0] < utf8.RuneSelf {
		return rune(text[0]), 1
	}
	char, size := utf8.DecodeRuneInString(text)
	if char == utf8.RuneError && size == 1 {
		return -1, 1
	}
	return char, size
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
