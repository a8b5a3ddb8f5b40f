package broker

import "strings"

// splitWords cuts a routing key or a pattern at its dots. An empty key has no words; "a." has two.
func splitWords(key string) []string {
	if key == "" {
		return nil
	}
	return strings.Split(key, ".")
}

// matchTopic reports whether a topic pattern matches a key: * stands for exactly one word, # for any
// number of words, none included. It remembers only the last #, as a glob does, so the time is at
// worst the product of both lengths.
func matchTopic(pattern, key []string) bool {
	p, k := 0, 0
	hash, resume := -1, 0
	for k < len(key) {
		switch {
		case p < len(pattern) && pattern[p] == "#":
			hash, resume = p, k
			p++
		case p < len(pattern) && (pattern[p] == "*" || pattern[p] == key[k]):
			p++
			k++
		case hash >= 0: // let the last # take one word more
			resume++
			p, k = hash+1, resume
		default:
			return false
		}
	}
	for p < len(pattern) && pattern[p] == "#" {
		p++
	}
	return p == len(pattern)
}
