package topic

import (
	"slices"
	"strings"
)

// Pattern is a compiled pattern. The zero value matches only the empty key.
type Pattern struct {
	words []string

	hash   bool      // there is a #
	head   []string  // words before the first #; all words if there is none
	middle []*finder // runs of words between two #
	tail   []string  // words after the last #
}

// Compile compiles a pattern. Every string is a valid one.
func Compile(pattern string) Pattern {
	if pattern == "" {
		return Pattern{}
	}
	p := Pattern{words: tidy(strings.Split(pattern, "."))}
	p.head = p.words
	for rest := p.words; ; {
		at := slices.Index(rest, "#")
		switch {
		case at < 0 && p.hash:
			p.tail = rest
		case at >= 0 && !p.hash:
			p.hash, p.head = true, rest[:at]
		case at >= 0:
			p.middle = append(p.middle, newFinder(rest[:at]))
		}
		if at < 0 {
			return p
		}
		rest = rest[at+1:]
	}
}

// tidy rewrites each run of wildcards as its stars followed by a single #, if it has one. The order of the
// wildcards does not matter, and several # match the same as one.
func tidy(words []string) []string {
	out := words[:0]
	hash := false
	for _, w := range words {
		if w == "#" {
			hash = true
			continue
		}
		if hash && w != "*" {
			out, hash = append(out, "#"), false
		}
		out = append(out, w)
	}
	if hash {
		out = append(out, "#")
	}
	return out
}

// String returns the normalized pattern: "#.*.#" becomes "*.#".
func (p Pattern) String() string { return strings.Join(p.words, ".") }

// Literal reports whether the pattern has no wildcard, and so matches only its own text.
func (p Pattern) Literal() bool {
	for _, w := range p.words {
		if w == "*" || w == "#" {
			return false
		}
	}
	return true
}

// Match reports whether the pattern matches a key, in time linear in the key's length. The words before the
// first # and after the last # have a fixed place, and for a run between two # the first occurrence will do.
// It does not allocate.
func (p Pattern) Match(key string) bool {
	left := words{text: key, none: key == ""}
	for _, want := range p.head {
		if word, ok := left.first(); !ok || !matches(want, word) {
			return false
		}
	}
	if !p.hash {
		return left.none
	}
	for _, want := range slices.Backward(p.tail) {
		if word, ok := left.last(); !ok || !matches(want, word) {
			return false
		}
	}
	for _, f := range p.middle {
		if !f.find(&left) {
			return false
		}
	}
	return true
}

// matches reports whether a word of a pattern, other than #, matches a word of a key.
func matches(want, word string) bool { return want == "*" || want == word }

// words are the words of a key that are not matched yet.
type words struct {
	text string
	none bool // not even an empty word
}

func (w *words) first() (word string, ok bool) {
	if w.none {
		return "", false
	}
	word, rest, more := strings.Cut(w.text, ".")
	w.text, w.none = rest, !more
	return word, true
}

func (w *words) last() (word string, ok bool) {
	if w.none {
		return "", false
	}
	dot := strings.LastIndexByte(w.text, '.')
	word = w.text[dot+1:]
	w.text, w.none = w.text[:max(0, dot)], dot < 0
	return word, true
}
