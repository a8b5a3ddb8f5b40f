package shlex_test

import (
	"slices"
	"testing"

	"github.com/clu-ws/clu-ws/internal/shlex"
)

func TestAWordKnowsItsPlace(t *testing.T) {
	got, open := shlex.Lex(` é 'b c' d\ e ""`)
	want := []shlex.Word{{Text: "é", Start: 1, End: 3}, {Text: "b c", Start: 4, End: 9}, {Text: "d e", Start: 10, End: 14}, {Text: "", Start: 15, End: 17}}
	if open != 0 || !slices.Equal(got, want) {
		t.Errorf("got %v, open %q", got, open)
	}
}

func TestWhatALineLeavesOpen(t *testing.T) {
	for line, want := range map[string]rune{"a": 0, `a "b`: '"', "a 'b": '\'', `a\`: '\\', `"a\`: '\\', `'a\`: '\''} {
		if _, open := shlex.Lex(line); open != want {
			t.Errorf("%s leaves %q open, want %q", line, open, want)
		}
	}
}

func FuzzWhatIsJoinedIsSplitAgain(f *testing.F) {
	for _, s := range []string{"", "a", "a b", "it's", `"`, `\`, `it's a "b\`, "é\u00a0", "\n", "a\x00b"} {
		f.Add(s, "next")
	}
	f.Fuzz(func(t *testing.T, a, b string) {
		line := shlex.Join([]string{a, b})
		if got, open := shlex.Split(line); open != 0 || !slices.Equal(got, []string{valid(a), valid(b)}) {
			t.Errorf("%q, %q are written as %s and read as %q", a, b, line, got)
		}
	})
}

// valid returns the text as UTF-8, which command strings are.
func valid(s string) string { return string([]rune(s)) }
