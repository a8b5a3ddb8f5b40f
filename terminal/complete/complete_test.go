package complete_test

import (
	"encoding/json"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/clu-ws/clu-ws/bridge/model"
	"github.com/clu-ws/clu-ws/terminal/complete"
)

// rules are the cases that the page's command line is held to, too.
type rules struct {
	Actors   []string
	Commands map[string][]model.Command
	Cases    []struct {
		Line   string
		Texts  []string
		Hint   *string
		Common *string
		Whole  bool
	}
}

func readRules(t *testing.T) (r rules) {
	t.Helper()
	text, err := os.ReadFile("testdata/rules.json")
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(text, &r); err != nil {
		t.Fatal(err)
	}
	if len(r.Cases) < 25 {
		t.Fatalf("only %d cases", len(r.Cases))
	}
	return r
}

func TestTheRulesThatThePageHasToo(t *testing.T) {
	r := readRules(t)
	source := complete.Source{Actors: r.Actors, Commands: func(actor string) []model.Command { return r.Commands[actor] }}
	for _, c := range r.Cases {
		got := complete.Line(c.Line, source)
		texts := textsOf(got)
		if !slices.Equal(texts, c.Texts) {
			t.Errorf("%q: candidates %q, want %q", c.Line, texts, c.Texts)
		}
		if c.Hint != nil && got.Hint != *c.Hint {
			t.Errorf("%q: hint %q, want %q", c.Line, got.Hint, *c.Hint)
		}
		if c.Common != nil {
			if common, whole := got.Common(); common != *c.Common || whole != c.Whole {
				t.Errorf("%q: Tab writes %q, %v; want %q, %v", c.Line, common, whole, *c.Common, c.Whole)
			}
		}
	}
}

func TestACommandOfAKnownActorIsCompletedAsInALine(t *testing.T) {
	r := readRules(t)
	for _, c := range r.Cases {
		command, ok := strings.CutPrefix(c.Line, "dome ")
		if !ok {
			continue
		}
		if got := textsOf(complete.Command(command, r.Commands["dome"])); !slices.Equal(got, c.Texts) {
			t.Errorf("%q: candidates %q, want %q", command, got, c.Texts)
		}
	}
}

func TestACompletionReplacesTheLastWord(t *testing.T) {
	r := readRules(t)
	for line, want := range map[string]int{"": 0, "mo": 0, "move ": 5, "move 'no": 5, "move north\t": 11} {
		if got := complete.Command(line, r.Commands["dome"]); got.From != want {
			t.Errorf("%q: from %d, want %d", line, got.From, want)
		}
	}
}

func textsOf(c complete.Completion) []string {
	texts := []string{}
	for _, one := range c.Candidates {
		texts = append(texts, one.Text)
	}
	return texts
}
