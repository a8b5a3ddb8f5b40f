package actor

import (
	"encoding/json"
	"math"
	"strings"
)

// Keywords are what a reply says: its body before it is JSON. Names are
// snake_case, as CLU's actors write them.
type Keywords map[string]any

// body is the keywords as JSON, "{}" for none. A value that JSON cannot hold
// becomes null, so that one NaN from an instrument does not lose the reply with
// all its other keywords, or the end of a command.
func (k Keywords) body() json.RawMessage {
	if len(k) == 0 {
		return json.RawMessage("{}")
	}
	if b, err := marshalValue(map[string]any(k)); err == nil {
		return b
	}
	safe := make(map[string]json.RawMessage, len(k))
	for name, value := range k {
		b, err := marshalValue(value)
		if err != nil {
			b = marshal(finite(value))
		}
		safe[name] = b
	}
	return marshal(safe)
}

// finite saves the numbers of a list in which some are not finite.
func finite(value any) any {
	list, ok := value.([]float64)
	if !ok {
		return nil
	}
	safe := make([]any, len(list))
	for i, f := range list {
		if !math.IsNaN(f) && !math.IsInf(f, 0) {
			safe[i] = f
		}
	}
	return safe
}

// ErrorText is why a command failed, in the sender's words: the keyword error,
// which CLU writes as a text, a list of texts or an exception's description, or
// else the keyword text. It is "" where the reply does not say.
func (r Reply) ErrorText() string {
	keywords := r.Keywords()
	for _, name := range [...]string{"error", "text"} {
		if raw, ok := keywords[name]; ok {
			return KeywordText(raw)
		}
	}
	return ""
}

// KeywordText returns a keyword's value as text for people: a string, the strings of a list
// as lines, an exception's message, or the JSON of anything else. It is "" for null and
// for no value.
func KeywordText(raw json.RawMessage) string {
	var text string
	if json.Unmarshal(raw, &text) == nil {
		return text
	}
	var lines []string
	if json.Unmarshal(raw, &lines) == nil {
		return strings.Join(lines, "\n")
	}
	var exception struct{ Message string }
	if json.Unmarshal(raw, &exception) == nil && exception.Message != "" {
		return exception.Message
	}
	return string(raw)
}
