package filter_test

import (
	"encoding/json"
	"testing"

	"github.com/clu-ws/clu-ws/bridge/filter"
)

func TestGlobMatchesTheWholeText(t *testing.T) {
	for _, test := range []struct {
		glob, text string
		want       bool
	}{
		{"a*", "a", true},
		{"a*", "ba", false},
		{"a*c", "abcbc", true},
		{"a*c", "abcb", false},
		{"*a*b*", "xxaxxbxx", true},
		{"*a*b*", "xxbxxaxx", false},
		{"?", "é", true},
		{"??", "é", false},
		{"?", "\xff", true},
		{"\ufffd*", "\xff", false},
		{"[\ufffd]*", "\xff", false},
		{"[^a]", "\xff", true},
		{"[\u0080-\u00ff]*", "\x80", false},
		{"*[\u0080-\u00ff]", "\x80", false},
		{"[\ufffdx]*", "\ufffd", true},
		{"*[\ufffdx]", "\ufffd", true},
		{"[\ufffdx]*", "\xff", false},
		{"[a-ce]", "b", true},
		{"[a-ce]", "d", false},
		{"[^a-c]", "b", false},
		{"[^a-c]", "", false},
		{"[à-ü]*", "été", true},
		{"[-a]x", "-x", true},
		{"[a-]x", "-x", true},
		{"[a^]x", "^x", true},
		{"x[*]", "x*", true},
		{"x[*]", "xy", false},
		{"[[]*]", "[a]", true},
		{`\*`, `\a`, true},
		{"a]*", "a]", true},
		{"*/?", "a/b/c", true},
		{"A*", "a", false},
	} {
		text, _ := json.Marshal(map[string]string{"sender": test.glob})
		if got := parse(t, string(text)).Match(&filter.Reply{Sender: test.text}); got != test.want {
			t.Errorf("glob %q, text %q: got %v, want %v", test.glob, test.text, got, test.want)
		}
	}
}
