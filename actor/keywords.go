package actor

import (
	"encoding/json"
	"strings"
)

// Keywords are what a reply says: its body before it is JSON. Names are
// snake_case, as CLU's actors write them.
//
// A number that is not finite, at any depth, becomes null, so that one NaN from
// an instrument does not lose the other keywords; the actor logs that once for
// each keyword. What JSON has no form for, such as a function or a channel, is a
// mistake of the program: the command fails and says so, and a broadcast leaves
// the keyword out; both are logged.
type Keywords map[string]any

// ErrorText returns why a command failed, in the sender's words: the keyword
// error, which CLU writes as a text, a list of texts or the description of an
// exception, or else the keyword text. It is "" where the reply does not say.
func (r Reply) ErrorText() string {
	keywords := r.Keywords()
	for _, name := range [...]string{"error", "text"} {
		if raw, ok := keywords[name]; ok {
			return KeywordText(raw)
		}
	}
	return ""
}

// KeywordText returns a keyword's value as text for people: a string, the strings
// of a list as lines, an exception's message, or the JSON of anything else. It is
// "" for null and for no value.
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
