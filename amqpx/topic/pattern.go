package topic

import (
	"slices"
	"strings"
)

// Pattern is a pattern, ready to match. The zero value matches the empty key alone.
type Pattern struct {
	words []string

	// The words before the first #, between two #, and behind the last #.
	hash   bool
	head   []string // all words, without a #
	middle []*finder
	tail   []string
}

// Compile reads a pattern. Every text is one.
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

// tidy writes each run of wildcards as its stars and then, if it has any #, a single #. They match
// the same in any order, and of several # one is enough.
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

// String is the pattern in its one form: "#.*.#" becomes "*.#".
func (p Pattern) String() string { return strings.Join(p.words, ".") }

// Literal reports whether the pattern has no wildcard, so that it matches its own text only.
func (p Pattern) Literal() bool {
	for _, w := range p.words {
		if w == "*" || w == "#" {
			return false
		}
	}
	return true
}

// Match reports whether the pattern matches a key, in time linear in the key: the words
// before the first # and behind the last # have a fixed place, and for a run between
// two # the first occurrence is as good as any. It does not allocate.
func (p Pattern) Match(key string) bool {
	left := words{text: key, none: key == ""}
	for _, want := range p.head {
		if word, ok := left.first(); !ok || !takes(want, word) {
			return false
		}
	}
	if !p.hash {
		return left.none
	}
	for _, want := range slices.Backward(p.tail) {
		if word, ok := left.last(); !ok || !takes(want, word) {
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

// takes reports whether a pattern's word other than # matches a key's word.
func takes(want, word string) bool { return want == "*" || want == word }

// words is the rest of a key.
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
