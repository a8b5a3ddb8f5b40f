package demo

import (
	"encoding/json"
	"math"
)

// keyword describes one keyword of an actor, as JSON Schema does. The unit is not of JSON Schema, but
// validators ignore it and people need it.
type keyword struct {
	Type        string   `json:"type"`
	Description string   `json:"description"`
	Unit        string   `json:"unit,omitempty"`
	Minimum     *float64 `json:"minimum,omitempty"`
	Maximum     *float64 `json:"maximum,omitempty"`
	Enum        []string `json:"enum,omitempty"`
	Pattern     string   `json:"pattern,omitempty"`
}

// model is an actor's keywords by name.
type model map[string]keyword

func number(unit, about string) keyword {
	return keyword{Type: "number", Description: about, Unit: unit}
}
func integer(about string) keyword { return keyword{Type: "integer", Description: about} }
func text(about string) keyword    { return keyword{Type: "string", Description: about} }
func boolean(about string) keyword { return keyword{Type: "boolean", Description: about} }

// between returns the keyword with a range.
func (k keyword) between(low, high float64) keyword {
	k.Minimum, k.Maximum = &low, &high
	return k
}

// oneOf returns the keyword with its possible values.
func (k keyword) oneOf(values ...string) keyword {
	k.Enum = values
	return k
}

// matching returns the keyword with a pattern.
func (k keyword) matching(pattern string) keyword {
	k.Pattern = pattern
	return k
}

// schema returns the model as JSON Schema, the answer to get_schema.
func (m model) schema() json.RawMessage {
	raw, err := json.Marshal(map[string]any{
		"$schema":    "http://json-schema.org/draft-07/schema#",
		"type":       "object",
		"properties": m,
	})
	if err != nil {
		panic("demo: " + err.Error()) // texts can always be encoded
	}
	return raw
}

// round rounds to the decimals that an instrument can measure.
func round(v float64, decimals int) float64 {
	scale := math.Pow10(decimals)
	return math.Round(v*scale) / scale
}
