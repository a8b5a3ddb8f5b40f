package conformance_test

import (
	"encoding/json"
	"os"
	"reflect"
	"regexp"
	"strings"
	"testing"

	"github.com/clu-ws/clu-ws/conformance"
)

func cases(t *testing.T) []conformance.Case {
	t.Helper()
	all, err := conformance.Cases()
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func TestEachStepIsOneThing(t *testing.T) {
	names := map[string]bool{}
	for _, c := range cases(t) {
		if names[c.Name] {
			t.Errorf("two cases have the name %q", c.Name)
		}
		names[c.Name] = true
		if (c.Only == "") != (c.Why == "") {
			t.Errorf("%s: a case for one side says why, and no other does", c.Name)
		}
		if c.Only != "" && c.Only != "client" && c.Only != "bridge" {
			t.Errorf("%s: there is no side %q", c.Name, c.Only)
		}
		for i, step := range c.Steps {
			set := 0
			for _, field := range reflect.ValueOf(step).Fields() {
				if !field.IsZero() {
					set++
				}
			}
			if set != 1 {
				t.Errorf("%s: step %d is %d things, want one", c.Name, i+1, set)
			}
		}
	}
	if len(names) < 40 {
		t.Errorf("there are %d cases, want at least 40", len(names))
	}
}

// A client decides by the code of an error whether a command was sent.
func TestEachErrorCodeHasACase(t *testing.T) {
	document, err := os.ReadFile("../docs/protocol.md")
	if err != nil {
		t.Fatal(err)
	}
	_, table, _ := strings.Cut(string(document), "| code | was the command sent? | means |\n| --- | --- | --- |\n")
	table, _, _ = strings.Cut(table, "\n\n")
	want := map[string]string{"no": "rejected", "perhaps": "unknown", "yes, to nobody": "failed"}
	states := map[string]string{}
	for _, c := range cases(t) {
		for _, step := range c.Steps {
			if step.Command != nil && step.Command.Refused != "" {
				states[step.Command.Refused] = step.Command.State
			}
		}
	}
	rows := regexp.MustCompile("(?m)^\\| `(\\w+)` \\| ([^|]+) \\|").FindAllStringSubmatch(table, -1)
	if len(rows) < 15 {
		t.Fatalf("the document has %d codes", len(rows))
	}
	for _, row := range rows {
		if state := states[row[1]]; state != want[strings.TrimSpace(row[2])] {
			t.Errorf("after the code %s, which says that the command was sent: %s, the state is %q", row[1], row[2], state)
		}
	}
}

func TestAMatchNamesTheFirstDifference(t *testing.T) {
	for _, c := range []struct{ want, got, diff string }{
		{`{"a": 1}`, `{"a": 1.0, "b": 2}`, ""},
		{`{"a": [1, {"b": "x"}]}`, `{"a": [1, {"b": "y"}]}`, `a[1].b is "y", want "x"`},
		{`{"a": 9007199254740993}`, `{"a": 9007199254740992}`, "a is 9007199254740992, want 9007199254740993"},
		{`{"a": null}`, `{}`, "a is missing"},
		{`{"a": null}`, `{"a": 0}`, "a is 0, want null"},
		{`{"a": []}`, `{"a": [1]}`, "a is [1], want []"},
		{`{"a": "$x", "b": "$x"}`, `{"a": 1, "b": 1}`, ""},
		{`{"a": ["$x", "$x"]}`, `{"a": [1, 2]}`, "a[1] is 2, want 1"},
	} {
		if diff := (conformance.Variables{}).Match(parse(t, c.want), parse(t, c.got)); diff != c.diff {
			t.Errorf("%s and %s: %q, want %q", c.want, c.got, diff, c.diff)
		}
	}
}

func parse(t *testing.T, text string) conformance.Message {
	t.Helper()
	m, err := conformance.Parse([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func TestAVariableIsFilledIn(t *testing.T) {
	filled := conformance.Variables{"$id": json.Number("7")}.Fill(parse(t, `{"id": "$id", "list": ["$id", "$other"]}`))
	text, err := json.Marshal(filled)
	if err != nil || string(text) != `{"id":7,"list":[7,"$other"]}` {
		t.Errorf("got %s (%v)", text, err)
	}
}
