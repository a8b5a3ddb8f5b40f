package access

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/clu-ws/clu-ws/internal/quote"
)

// roomPattern selects rooms by their path.
//
//	/a          the room /a
//	/a/*        the rooms one level below /a
//	/a/**       the room /a and all below it; /** is every room
//	/site=x/*   * is a whole part
//	/site=*     or the whole value of a part KEY=VALUE
//
// A path that is asked for may itself have the part * or KEY=*, with which some applications mean
// all values. Only a pattern with * or ** there selects it: a grant of one value is not a grant of all.
//
// A client that may hear /live/x also hears what is published for /live, since a message for a room is
// delivered in the rooms below it. So /a/** includes /a: its messages reach every room below anyway.
type roomPattern struct {
	text  string
	parts []string
	below bool // it ends with **
	exact bool // * stands for itself, as in the path of a signed URL
}

// compileRooms compiles patterns of rooms.
func compileRooms(key string, texts []string) (patterns []roomPattern, err error) {
	for i, text := range texts {
		p, err := parseRoomPattern(text)
		if err != nil {
			return nil, pathErrorf(fmt.Sprintf("%s[%d]", key, i), "%w", err)
		}
		patterns = append(patterns, p)
	}
	return patterns, nil
}

func parseRoomPattern(text string) (p roomPattern, err error) {
	p.text = text
	switch {
	case !strings.HasPrefix(text, "/"):
		return p, fmt.Errorf("%s is not a pattern of rooms; begin it with /, as in /live/x, /live/* or /live/**", quote.Text(text))
	case !utf8.ValidString(text) || strings.ContainsFunc(text, func(r rune) bool { return r < ' ' || r == 0x7f || r == '\\' }):
		return p, fmt.Errorf("%s has a backslash, a control character or bytes that are not UTF-8, which no room has", quote.Text(text))
	case strings.Contains(strings.ReplaceAll(text, nameMark, ""), "${"):
		return p, fmt.Errorf("%s has ${ of something other than %s, which is all that there is", quote.Text(text), nameMark)
	case text == "/":
		return p, nil
	}
	p.parts = roomParts(text)
	if last := len(p.parts) - 1; p.parts[last] == "**" {
		p.parts, p.below = p.parts[:last], true
	}
	for _, part := range p.parts {
		if err := checkRoomPart(part); err != nil {
			return p, fmt.Errorf("%s is not a pattern of rooms: %w", quote.Text(text), err)
		}
	}
	return p, nil
}

// roomParts splits a path. That of / has none.
func roomParts(path string) []string {
	if path == "/" {
		return nil
	}
	return strings.Split(strings.TrimPrefix(path, "/"), "/")
}

func checkRoomPart(part string) error {
	key, value, keyed := strings.Cut(part, "=")
	switch {
	case part == "":
		return errors.New("a part is empty; write one slash between the parts, and none at the end")
	case part == "." || part == "..":
		return errors.New("a part is . or .., which no room has")
	case part == "**":
		return errors.New("** is not its last part; write /a/** for /a and all below it")
	case part == "*" || keyed && value == "*" && !strings.Contains(key, "*") || !strings.Contains(part, "*"):
		return nil
	}
	return errors.New("* is mixed with other characters; write it as a whole part, as in /live/*, or as a whole value, as in /site=*")
}

// match reports whether the pattern selects a room. The path is clean: see package rooms.
func (p *roomPattern) match(path string) bool {
	if p.exact {
		return path == p.text
	}
	asked := roomParts(path)
	if len(asked) < len(p.parts) || len(asked) > len(p.parts) && !p.below {
		return false
	}
	for i, part := range p.parts {
		if !matchRoomPart(part, asked[i]) {
			return false
		}
	}
	return true
}

func matchRoomPart(part, asked string) bool {
	switch {
	case part == "*":
		return true
	case strings.HasSuffix(part, "=*"):
		return strings.HasPrefix(asked, part[:len(part)-1])
	}
	return part == asked
}

// sortedRooms returns the distinct patterns, sorted.
func sortedRooms(patterns []roomPattern) (texts []string) {
	for _, p := range patterns {
		texts = append(texts, p.text)
	}
	slices.Sort(texts)
	return slices.Compact(texts)
}
