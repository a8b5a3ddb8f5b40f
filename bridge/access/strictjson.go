package access

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/clu-ws/clu-ws/internal/jsonscan"
	"github.com/clu-ws/clu-ws/internal/quote"
)

// place is a JSON value and where it stands. Its methods read the value strictly: what is unknown,
// doubled, null or of another type is a *PathError. Null in particular would grant everything
// where a filter expects an object, and YAML makes it of a key whose value was forgotten.
type place struct {
	path string
	raw  json.RawMessage
}

func (p place) errorf(format string, args ...any) error {
	return &PathError{p.path, fmt.Errorf(format, args...)}
}

func (p place) wrong(err error) error { return &PathError{p.path, err} }

// key returns the path of a member.
func (p place) key(name string) string {
	if p.path == "" {
		return name
	}
	return p.path + "." + name
}

// kind returns the first character of the value: that of an object is {.
func (p place) kind() byte {
	if text := bytes.TrimLeft(p.raw, " \t\r\n"); len(text) > 0 {
		return text[0]
	}
	return 0
}

// object calls set for each member of an object. Only the named keys may be there, each once.
func (p place) object(known []string, set func(key string, value place) error) error {
	if p.kind() != '{' {
		return p.errorf("%s is not an object; write one with some of %s", quote.Short(string(p.raw)), strings.Join(known, ", "))
	}
	return p.each(func(key string, value place) error {
		if !slices.Contains(known, key) {
			return place{path: p.key(key)}.errorf("there is no key %s; write some of %s", quote.Text(key), strings.Join(known, ", "))
		}
		return set(key, value)
	})
}

// each calls do for each member of an object, whose keys must differ.
func (p place) each(do func(key string, value place) error) error {
	var seen []string
	members := jsonscan.MembersOf(p.raw)
	for {
		name, value, ok := members.Next()
		if !ok {
			return nil
		}
		key := string(name)
		if slices.Contains(seen, key) {
			return place{path: p.key(key)}.errorf("the key stands here twice; leave one out")
		}
		seen = append(seen, key)
		if err := do(key, place{p.key(key), value}); err != nil {
			return err
		}
	}
}

// list calls each for the elements of a list.
func (p place) list(each func(element place) error) error {
	if p.kind() != '[' {
		return p.errorf("%s is not a list; write one in brackets", quote.Short(string(p.raw)))
	}
	i := 0
	for element := range jsonscan.Elements(p.raw) {
		if i == maxList {
			return p.errorf("the list has more than %d elements; let a pattern stand for many", maxList)
		}
		if err := each(place{fmt.Sprintf("%s[%d]", p.path, i), element}); err != nil {
			return err
		}
		i++
	}
	return nil
}

// maxList is the most elements of a list.
const maxList = 256

// text reads a string.
func (p place) text() (text string, err error) {
	if p.kind() != '"' || json.Unmarshal(p.raw, &text) != nil {
		return "", p.errorf("%s is not a text; write one in quotes", quote.Short(string(p.raw)))
	}
	return text, nil
}

// texts reads one string, or a list of them.
func (p place) texts() (texts []string, err error) {
	if p.kind() == '"' {
		text, err := p.text()
		return []string{text}, err
	}
	texts = []string{}
	err = p.list(func(element place) error {
		text, err := element.text()
		texts = append(texts, text)
		return err
	})
	return texts, err
}

func (p place) boolean() (bool, error) {
	switch string(bytes.TrimSpace(p.raw)) {
	case "true":
		return true, nil
	case "false":
		return false, nil
	}
	return false, p.errorf("%s is neither true nor false", quote.Short(string(p.raw)))
}

// positive reads a number above zero. Zero means no limit elsewhere, but could be meant as
// the opposite here.
func (p place) positive() (n float64, err error) {
	if json.Unmarshal(p.raw, &n) != nil || p.kind() == 'n' || n <= 0 {
		return 0, p.errorf("%s is not a number above 0; leave the key out for no limit", quote.Short(string(p.raw)))
	}
	return n, nil
}

// document returns the place of a whole document, which is checked to be JSON.
func document(raw json.RawMessage) (place, error) {
	if ok, _ := jsonscan.Valid(raw); !ok || !utf8.Valid(raw) {
		return place{}, &PathError{Err: errors.New("this is not JSON in UTF-8")}
	}
	return place{raw: raw}, nil
}
