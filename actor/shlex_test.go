package actor

import "testing"

// The expectations were printed by Python's shlex.split.
func TestACommandStringIsSplitAsByShlex(t *testing.T) {
	for in, want := range map[string][]string{
		"a b":               {"a", "b"},
		"  a\tb\nc ":        {"a", "b", "c"},
		"  ":                {},
		"a 'b c' d":         {"a", "b c", "d"},
		`a "b\"c" "d\e"`:    {"a", `b"c`, `d\e`},
		`"a\\b"`:            {`a\b`},
		`'\n'`:              {`\n`},
		`a\ b`:              {"a b"},
		"a ''":              {"a", ""},
		`a""b`:              {"ab"},
		"goto #3 a#b":       {"goto", "#3", "a#b"},
		"a;b|c":             {"a;b|c"},
		"é\u00a0ü a\x0bb":   {"é\u00a0ü", "a\x0bb"},
		"move -1.5 --wait=": {"move", "-1.5", "--wait="},
	} {
		got, err := splitShlex(in)
		if err != nil || len(got) != len(want) {
			t.Errorf("%q: %q, %v; want %q", in, got, err, want)
			continue
		}
		for i := range want {
			if got[i] != want[i] {
				t.Errorf("%q: %q, want %q", in, got, want)
			}
		}
	}
}

func TestAnOpenQuotationIsRefusedInShlexsWords(t *testing.T) {
	for in, want := range map[string]string{
		"'":         noClosingQuotation,
		`"x`:        noClosingQuotation,
		`"\`:        noEscapedCharacter,
		`a 'it\'s'`: noClosingQuotation,
		`a\`:        noEscapedCharacter,
	} {
		if _, err := splitShlex(in); err == nil || err.Error() != "UsageError: "+want {
			t.Errorf("%q: %v, want %s", in, err, want)
		}
	}
}
