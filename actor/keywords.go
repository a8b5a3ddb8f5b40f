package actor

import (
	"encoding/json"
	"strings"
)

// Keywords are the contents of a reply's body. Names are snake_case, as in CLU's actors.
//
// A number that is not finite, at any depth, becomes null, so that one NaN from an
// instrument does not lose the other keywords; the actor logs that once for each keyword. With
// [Config].PythonNaN it is sent as CLU's actors send it. A
// value that JSON cannot hold, such as a function or a channel, is a programming error: the
// command fails and says so, and a broadcast leaves the keyword out; both are logged.
type Keywords map[string]any

// ErrorText returns why a command failed, in the sender's words: the keyword error, which
// CLU writes as a string, a list of strings or the description of an exception, or else the
// keyword text. It returns "" if the reply does not say.
func (r Reply) ErrorText() string {
	keywords := r.Keywords()
	for _, name := range [...]string{"error", "text"} {
		if raw, ok := keywords[name]; ok {
			return KeywordText(raw)
		}
	}
	return ""
}

// KeywordText returns a keyword's value as readable text: a string, the strings of a list
// as lines, an exception's message, or the JSON of anything else. It returns "" for null
// and for no value.
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
