package plot

import (
	"encoding/json"
	"fmt"
	"strconv"
)

// answer is the bridge's answer to history. All times are in milliseconds since 1970.
type answer struct {
	From    int64    `json:"from"`
	To      int64    `json:"to"`
	Series  []series `json:"series"`
	Gaps    []span   `json:"gaps"`
	Evicted []string `json:"evicted"`
	Filling bool     `json:"filling"`
}

// span is a span of time.
type span [2]int64

// series is what a keyword was.
type series struct {
	Keyword  string            `json:"keyword"`
	Kind     *string           `json:"kind"` // number or state; nil if nothing is known
	BucketMS int64             `json:"bucket_ms"`
	Oldest   int64             `json:"oldest"`
	Until    int64             `json:"until"` // when it was heard last
	Silent   []span            `json:"silent"`
	T        []int64           `json:"t"`
	Min      []json.RawMessage `json:"min"`
	Max      []json.RawMessage `json:"max"`
	Last     []json.RawMessage `json:"last"`
	Value    []json.RawMessage `json:"value"`
}

// parse reads an answer.
func parse(raw json.RawMessage) (*answer, error) {
	a := &answer{}
	if err := json.Unmarshal(raw, a); err != nil {
		return nil, fmt.Errorf("the bridge's answer to history cannot be read: %w", err)
	}
	for i := range a.Series {
		s := &a.Series[i]
		values := s.values()
		buckets := len(s.Min) > 0 || len(s.Max) > 0
		if len(values) != len(s.T) || buckets && (len(s.Min) != len(s.T) || len(s.Max) != len(s.T)) {
			return nil, fmt.Errorf("the bridge's answer to history has not as many values of %s as times", s.Keyword)
		}
	}
	return a, nil
}

func (s *series) isNumber() bool { return s.Kind != nil && *s.Kind == "number" }
func (s *series) isState() bool  { return s.Kind != nil && *s.Kind == "state" }

// values returns what was heard last at each time, as the actor wrote it.
func (s *series) values() []json.RawMessage {
	if s.isNumber() {
		return s.Last
	}
	return s.Value
}

// number returns a value that can be drawn: neither null nor NaN nor infinite.
func number(raw json.RawMessage) (float64, bool) {
	f, err := strconv.ParseFloat(string(raw), 64)
	return f, err == nil
}

// text returns a value for people.
func text(raw json.RawMessage) string {
	var s string
	if json.Unmarshal(raw, &s) == nil && len(raw) > 0 && raw[0] == '"' {
		return s
	}
	return string(raw)
}

// isKnown reports whether what held at the time is known: the keyword was heard before and after it, and the bridge
// has missed nothing.
func (a *answer) isKnown(s *series, at int64) bool {
	return at <= s.Until && !within(a.Gaps, at) && !within(s.Silent, at)
}

func within(spans []span, at int64) bool {
	for _, s := range spans {
		if s[0] <= at && at < s[1] {
			return true
		}
	}
	return false
}

// hasHole reports whether a part of the span is in a gap or in a silence.
func (a *answer) hasHole(s *series, from, to int64) bool {
	for _, spans := range [][]span{a.Gaps, s.Silent} {
		for _, hole := range spans {
			if hole[0] < to && hole[1] > from {
				return true
			}
		}
	}
	return false
}
