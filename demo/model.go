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

// schema is the model as JSON Schema, which get_schema answers.
func (m model) schema() json.RawMessage {
	raw, err := json.Marshal(map[string]any{
		"$schema":    "http://json-schema.org/draft-07/schema#",
		"type":       "object",
		"properties": m,
	})
	if err != nil {
		panic("demo: " + err.Error()) // strings cannot fail
	}
	return raw
}

// round keeps so many decimals: an instrument does not know more.
func round(v float64, decimals int) float64 {
	scale := math.Pow10(decimals)
	return math.Round(v*scale) / scale
}
