package conformance

import (
	"encoding/json"
	"testing"
)

// A line is one object and nothing else, with all digits of its numbers.
func FuzzParse(f *testing.F) {
	for _, seed := range []string{`{"event": "ready"}`, `{"n": 12345678901234567890}`, `{} {}`, `{"a": 1}x`, "null", "[]", "", `{"a": 1}` + "\n"} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		m, err := Parse(text)
		if err == nil && (m == nil || !json.Valid(text)) {
			t.Errorf("%q is read as %v", text, m)
		}
	})
}
