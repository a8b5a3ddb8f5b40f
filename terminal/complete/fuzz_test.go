package complete_test

import (
	"encoding/json"
	"os"
	"testing"

	"github.com/clu-ws/clu-ws/bridge/model"
	"github.com/clu-ws/clu-ws/terminal/complete"
)

// Whatever is typed is completed from a place within it, by what a candidate says.
func FuzzLine(f *testing.F) {
	text, err := os.ReadFile("testdata/rules.json")
	if err != nil {
		f.Fatal(err)
	}
	var r rules
	if err := json.Unmarshal(text, &r); err != nil {
		f.Fatal(err)
	}
	for _, c := range r.Cases {
		f.Add(c.Line)
	}
	source := complete.Source{Actors: r.Actors, Commands: func(actor string) []model.Command { return r.Commands[actor] }}
	f.Fuzz(func(t *testing.T, line string) {
		c := complete.Line(line, source)
		if c.From < 0 || c.From > len(line) {
			t.Fatalf("%q is completed from %d", line, c.From)
		}
		for _, candidate := range c.Candidates {
			if len(candidate.Text) == 0 {
				t.Errorf("%q has an empty candidate", line)
			}
		}
		if text, _ := c.Common(); text != "" && len(c.Candidates) == 0 {
			t.Errorf("%q: Tab writes %q, which is no candidate", line, text)
		}
	})
}
