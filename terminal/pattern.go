package terminal

import (
	"bytes"
	"encoding/json"
	"fmt"
	"path"
	"slices"
	"strconv"
	"strings"
)

// Pattern selects keywords, as in weather.wind_*: an actor, and a keyword of it. Both may be globs. Further parts
// name a member of an object or an item of a list, as in mount.axes.0.torque. Names of actors may have points, too, as
// lvm.sci.foc has: where the name ends is not known, see readings.
type Pattern struct {
	Actor   string
	Keyword string // "" is every keyword
	Path    []string
}

// ParsePattern reads a pattern.
func ParsePattern(text string) (Pattern, error) {
	parts := strings.Split(text, ".")
	for _, part := range parts {
		if part == "" {
			return Pattern{}, Usage("%q has an empty part; write ACTOR.KEYWORD, such as weather.is_safe", text)
		}
		if _, err := path.Match(part, ""); err != nil {
			return Pattern{}, Usage("%q is not a glob that can be read: a [ has no ]", text)
		}
	}
	p := Pattern{Actor: parts[0]}
	if len(parts) > 1 {
		p.Keyword, p.Path = parts[1], parts[2:]
	}
	return p, nil
}

// readings returns what the pattern may mean, by where the name of the actor ends: its first part, or more of them.
func (p Pattern) readings() (all []Pattern) {
	parts := append([]string{p.Actor}, p.Path...)
	if p.Keyword != "" {
		parts = slices.Insert(parts, 1, p.Keyword)
	}
	for i := 1; i <= len(parts); i++ {
		r := Pattern{Actor: strings.Join(parts[:i], ".")}
		if i < len(parts) {
			r.Keyword, r.Path = parts[i], parts[i+1:]
		}
		all = append(all, r)
	}
	return all
}

// filter returns what selects the replies of a pattern.
func (p Pattern) filter() map[string]any {
	f := map[string]any{"sender": p.Actor}
	if p.Keyword != "" {
		f["keyword"] = p.Keyword
	}
	return f
}

// matches reports whether a pattern selects a keyword.
func (p Pattern) matches(actor, keyword string) bool {
	ok, _ := path.Match(p.Actor, actor) // a glob that can be read
	if p.Keyword == "" || !ok {
		return ok
	}
	ok, _ = path.Match(p.Keyword, keyword)
	return ok
}

// member returns the part of a JSON value that a path of members and items leads to, or nil.
func member(value json.RawMessage, path []string) json.RawMessage {
	for _, part := range path {
		var object map[string]json.RawMessage
		var list []json.RawMessage
		if json.Unmarshal(value, &object) == nil && object != nil {
			value = object[part]
			continue
		}
		n, err := strconv.Atoi(part)
		if err != nil || json.Unmarshal(value, &list) != nil || n < 0 || n >= len(list) {
			return nil
		}
		value = list[n]
	}
	return value
}

// plain writes a JSON value for people and scripts: a text without its quotes, anything else as JSON. All digits
// of numbers stay.
func plain(value json.RawMessage) string {
	var text string
	if len(value) > 0 && value[0] == '"' && json.Unmarshal(value, &text) == nil {
		return visible(text)
	}
	return visible(oneLine(value))
}

// oneLine returns a JSON value without the space and the ends of lines between its parts.
func oneLine(value json.RawMessage) string {
	var compact bytes.Buffer
	if json.Compact(&compact, value) != nil {
		return string(value)
	}
	return compact.String()
}

// visible replaces the control characters of a text: an actor must not be able to control the terminal, nor to
// begin a line that looks like another reply.
func visible(text string) string {
	text = strings.ToValidUTF8(text, "\uFFFD") // a terminal may take other bytes for controls, as 0x9b
	if !strings.ContainsFunc(text, isControl) {
		return text
	}
	var b strings.Builder
	for _, r := range text {
		switch {
		case !isControl(r):
			b.WriteRune(r)
		case r < 0x7f: // never in JSON
			quoted := strconv.QuoteRune(r)
			b.WriteString(quoted[1 : len(quoted)-1])
		default: // as JSON writes it, too
			fmt.Fprintf(&b, `\u%04x`, r)
		}
	}
	return b.String()
}

// isControl reports whether a character would act on the terminal: the C0 and C1 controls, and those that end a line or
// change the direction of the text.
func isControl(r rune) bool {
	return r < ' ' || r >= 0x7f && r < 0xa0 || r == 0x061c || r == 0x200e || r == 0x200f || r >= 0x2028 && r <= 0x202e || r >= 0x2066 && r <= 0x2069
}
