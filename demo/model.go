package demo

import (
	"encoding/json"
	"math"
)

// keyword describes one keyword of an actor.
type keyword struct {
	Type        string `json:"type"`
	Description string `json:"description"`
}

// model is an actor's keywords by name.
type model map[string]keyword

func number(about string) keyword  { return keyword{"number", about} }
func text(about string) keyword    { return keyword{"string", about} }
func boolean(about string) keyword { return keyword{"boolean", about} }

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
