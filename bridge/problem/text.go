package problem

import (
	"encoding/json"
	"strings"
	"unicode/utf8"

	"github.com/clu-ws/clu-ws/internal/jsonscan"
)

// maxText bounds the text of a problem, and maxKeyed what of it its key depends on, in bytes.
const (
	maxText  = 500
	maxKeyed = 8 << 10
)

// textKeys are the keywords in which actors say what is wrong, in the order of preference: CLU's
// Command.fail and error write the first, write the second.
var textKeys = []string{"error", "text", "message", "warning", "alert", "reason"}

// textOf returns what a body says is wrong: a text under one of the usual keywords, else all keywords
// with their values.
func textOf(body []byte) string {
	best, found := len(textKeys), ""
	var all strings.Builder
	members := jsonscan.MembersOf(body)
	for {
		key, value, ok := members.Next()
		if !ok {
			break
		}
		for i, name := range textKeys[:best] {
			var text string
			if string(key) == name && len(value) <= maxKeyed && json.Unmarshal(value, &text) == nil && text != "" {
				best, found = i, text
			}
		}
		if all.Len() < maxKeyed {
			if all.Len() > 0 {
				all.WriteString(", ")
			}
			all.Write(key)
			all.WriteByte('=')
			all.Write(value[:min(len(value), maxKeyed)])
		}
	}
	switch {
	case found != "":
		return found
	case all.Len() > 0:
		return all.String()
	}
	return string(body[:min(len(body), maxKeyed)])
}

// shorten returns a text of bounded length.
func shorten(text string) string {
	if len(text) <= maxText {
		return strings.ToValidUTF8(strings.Clone(text), "�")
	}
	end := maxText
	for end > 0 && !utf8.RuneStart(text[end]) {
		end--
	}
	return strings.ToValidUTF8(text[:end], "�") + "…"
}
