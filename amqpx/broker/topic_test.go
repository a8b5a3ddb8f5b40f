package broker

import "testing"

// matchSlow is the rule as one would say it, exponential and obvious.
func matchSlow(pattern, key []string) bool {
	switch {
	case len(pattern) == 0:
		return len(key) == 0
	case pattern[0] == "#":
		return matchSlow(pattern[1:], key) || len(key) > 0 && matchSlow(pattern, key[1:])
	case len(key) == 0:
		return false
	}
	return (pattern[0] == "*" || pattern[0] == key[0]) && matchSlow(pattern[1:], key[1:])
}

func TestTopicMatchAgreesWithItsDefinition(t *testing.T) {
	patterns, keys := sentences([]string{"a", "b", "*", "#"}, 5), sentences([]string{"a", "b"}, 5)
	for _, pattern := range patterns {
		for _, key := range keys {
			if got, want := matchTopic(pattern, key), matchSlow(pattern, key); got != want {
				t.Fatalf("pattern %q, key %q: got %v, want %v", pattern, key, got, want)
			}
		}
	}
}

// sentences returns every sequence of up to n of the words.
func sentences(words []string, n int) (all [][]string) {
	all = [][]string{nil}
	for last := all; n > 0; n-- {
		var longer [][]string
		for _, s := range last {
			for _, w := range words {
				longer = append(longer, append(s[:len(s):len(s)], w))
			}
		}
		all, last = append(all, longer...), longer
	}
	return all
}
