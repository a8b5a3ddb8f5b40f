package actor

import (
	"encoding/json"
	"slices"
	"testing"
)

func TestASchemaIsCompletedAsByCLU(t *testing.T) {
	s, err := newSchema(json.RawMessage(`{"type": "object", "required": ["ra"], "properties": {"ra": {"type": "number", "description": "RA"}}}`))
	if err != nil {
		t.Fatal(err)
	}
	var got struct {
		Properties           map[string]json.RawMessage
		AdditionalProperties *bool
		Required             any
	}
	if err := json.Unmarshal([]byte(s.text), &got); err != nil {
		t.Fatal(err)
	}
	if len(got.Properties) != 12 || got.Properties["ra"] == nil || got.Properties["exception_info"] == nil {
		t.Errorf("the properties are %s", s.text)
	}
	if got.AdditionalProperties == nil || *got.AdditionalProperties || got.Required != nil {
		t.Errorf("additional properties are allowed, or some required: %s", s.text)
	}
}

func TestAnInvalidSchemaIsRefused(t *testing.T) {
	for _, raw := range []string{`[]`, `{`, `{}`, `{"type": "object"}`, `{"type": "array", "properties": {}}`, `{"type": "object", "properties": null}`} {
		if _, err := newSchema(json.RawMessage(raw)); err == nil {
			t.Errorf("%s was accepted", raw)
		}
	}
}

// The lines were recorded from a CLU 2.6.1 actor.
func TestAKeywordIsDescribedAsByCLU(t *testing.T) {
	s, err := newSchema(json.RawMessage(`{"type": "object", "properties": {"ra": {"type": "number", "description": "RA"}}}`))
	if err != nil {
		t.Fatal(err)
	}
	for keyword, want := range map[string][]string{
		"ra": {
			"ra = {               ",
			"  type: number,      ",
			"  description: RA    ",
			"}                    ",
		},
		"help": {
			"help = {                ",
			"  oneOf: [              ",
			"    {                   ",
			"      type: array,      ",
			"      items: {          ",
			"        type: string    ",
			"      }                 ",
			"    },                  ",
			"    {                   ",
			"      type: string      ",
			"    }                   ",
			"  ]                     ",
			"}                       ",
		},
	} {
		if got := s.describe(keyword); !slices.Equal(got, want) {
			t.Errorf("got\n%q\nwant\n%q", got, want)
		}
	}
}
