package topic

import "strings"

// Pattern is a pattern, ready to match. The zero value matches the empty key alone.
type Pattern struct {
	words []string
}

// Compile reads a pattern. Every text is one.
func Compile(pattern string) Pattern {
	if pattern == "" {
		return Pattern{}
	}
	return Pattern{words: tidy(strings.Split(pattern, "."))}
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

// Match reports whether the pattern matches a key. It remembers only the last #, as a glob does, so
// the time is at worst the product of both lengths. It does not allocate.
func (p Pattern) Match(key string) bool {
	end := len(key) + 1 // where a word would begin behind the last one
	at, k := 0, 0       // the next word of the pattern, and where that of the key begins
	if key == "" {
		k = end
	}
	hash, resume := -1, 0
	for k < end {
		if at < len(p.words) && p.words[at] == "#" {
			hash, resume = at, k
			if at++; at == len(p.words) {
				return true
			}
			continue
		}
		if at < len(p.words) && begins(key[k:], p.words[at]) {
			k += wordLength(key[k:], p.words[at]) + 1
			at++
			continue
		}
		if hash < 0 {
			return false
		}
		resume += wordLength(key[resume:], "*") + 1 // let the last # take one word more
		at, k = hash+1, resume
	}
	for at < len(p.words) && p.words[at] == "#" {
		at++
	}
	return at == len(p.words)
}

// begins reports whether the first word of a key is as a pattern's word, not #, wants it.
func begins(key, word string) bool {
	return word == "*" || strings.HasPrefix(key, word) && (len(key) == len(word) || key[len(word)] == '.')
}

// wordLength is the length of the first word of a key, which the pattern's word matches.
func wordLength(key, word string) int {
	if word != "*" {
		return len(word)
	}
	if dot := strings.IndexByte(key, '.'); dot >= 0 {
		return dot
	}
	return len(key)
}
