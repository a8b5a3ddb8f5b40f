package filter

import (
	"slices"
	"strings"
	"testing"
)

func TestNamesMatchByOneOfTheirGlobs(t *testing.T) {
	n, err := ParseNames([]string{"dome", "lvm.*", "dome", "[m]ount"})
	if err != nil {
		t.Fatal(err)
	}
	if want := []string{"dome", "lvm.*", "mount"}; !slices.Equal(n.Values(), want) {
		t.Errorf("the values are %q, want %q", n.Values(), want)
	}
	for text, want := range map[string]bool{"dome": true, "mount": true, "lvm.sci": true, "lvm": false, "domes": false, "": false} {
		if n.Match(text) != want {
			t.Errorf("Match(%q) = %t", text, !want)
		}
	}
}

func TestNamesWithAStarMatchEverything(t *testing.T) {
	n, err := ParseNames([]string{"dome", "**"})
	if err != nil {
		t.Fatal(err)
	}
	if !n.Match("") || !n.Match("x") || !slices.Equal(n.Values(), []string{"*"}) {
		t.Errorf("they do not match everything: %q", n.Values())
	}
}

func TestNamesThatAreNoPatternsAreRefused(t *testing.T) {
	for _, globs := range [][]string{nil, {}, {"["}, {strings.Repeat("x", 256)}, slices.Repeat([]string{"x"}, 257)} {
		if _, err := ParseNames(globs); err == nil {
			t.Errorf("%.40q is accepted", globs)
		}
	}
}
