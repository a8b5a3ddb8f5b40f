package topic_test

import (
	"strings"
	"testing"

	"github.com/clu-ws/clu-ws/amqpx/topic"
	"github.com/clu-ws/clu-ws/internal/testkit"
)

func TestMain(m *testing.M) { testkit.Main(m) }

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

func TestMatchAgreesWithItsDefinition(t *testing.T) {
	patterns, keys := sentences([]string{"a", "b", "*", "#"}, 5), sentences([]string{"a", "b"}, 5)
	for _, words := range patterns {
		pattern := topic.Compile(strings.Join(words, "."))
		for _, key := range keys {
			if got, want := pattern.Match(strings.Join(key, ".")), matchSlow(words, key); got != want {
				t.Fatalf("pattern %q, key %q: got %v, want %v", words, key, got, want)
			}
		}
	}
}

func TestEmptyWordsAreWords(t *testing.T) {
	for _, test := range []struct {
		pattern, key string
		want         bool
	}{
		{"", "", true},
		{"*", "", false},
		{"#", "", true},
		{"", ".", false},
		{"*.*", ".", true},
		{"a.*", "a.", true},
		{"a.", "a.", true},
		{"a", "a.", false},
		{"a.#", "a.", true},
		{"#.", "a.b.", true},
		{"a..b", "a..b", true},
		{"a.*.b", "a..b", true},
		{"*a", "ba", false},
		{"*a", "*a", true},
	} {
		if got := topic.Compile(test.pattern).Match(test.key); got != test.want {
			t.Errorf("pattern %q, key %q: got %v, want %v", test.pattern, test.key, got, test.want)
		}
	}
}

func TestPatternsThatDifferInTheOrderOfWildcardsHaveOneForm(t *testing.T) {
	for written, want := range map[string]string{
		"#":           "#",
		"#.#":         "#",
		"#.*":         "*.#",
		"*.#.*.#.a.#": "*.*.#.a.#",
		"reply.#.a":   "reply.#.a",
		"a..":         "a..",
		"":            "",
	} {
		if got := topic.Compile(written).String(); got != want {
			t.Errorf("%q became %q, want %q", written, got, want)
		}
	}
}

func TestLiteralPatternHasNoWildcard(t *testing.T) {
	for pattern, want := range map[string]bool{"": true, "reply.a": true, "a*.b#": true, "a.*": false, "#.a": false} {
		if got := topic.Compile(pattern).Literal(); got != want {
			t.Errorf("%q: got %v, want %v", pattern, got, want)
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

// Matching took the product of both lengths: every place was tried from its beginning.
func TestARunBetweenTwoHashesIsFoundHoweverOftenItBegins(t *testing.T) {
	begins := strings.Repeat("a.", 60)
	for pattern, want := range map[string]bool{
		"#." + begins + "b.#":                       true,
		"#." + begins + "*.b.#":                     true,
		"#." + begins + "c.#":                       false,
		"#.a.#." + begins + "a.#." + begins + "b.#": false,
		"#.*.b.#.#":                                 true,
	} {
		if got := topic.Compile(pattern).Match(strings.Repeat("a.", 100) + "b.x"); got != want {
			t.Errorf("%.20s...: got %v, want %v", pattern, got, want)
		}
	}
	p, key := topic.Compile("x.#."+begins+"*.c.#.y"), "x."+strings.Repeat("a.", 120)+"y"
	if n := testing.AllocsPerRun(100, func() { p.Match(key) }); n != 0 {
		t.Errorf("it allocates %v times", n)
	}
}
