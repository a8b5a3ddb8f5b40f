package configfile

import (
	"encoding/json"
	"fmt"
	"strings"
)

// kind is what a node is.
type kind int

const (
	nullKind kind = iota
	boolKind
	intKind
	floatKind
	textKind
	listKind
	mapKind
)

// String returns the kind as an error calls it.
func (k kind) String() string {
	return [...]string{"no value", "true or false", "a whole number", "a number", "a text", "a list", "a section with keys"}[k]
}

// node is a value in the file.
type node struct {
	kind kind
	line int // from 1
	col  int // from 1, in characters
	// value is a bool, an int64 or uint64, a float64, or a string.
	value any
	// literal is a scalar as it is written; the text of a text.
	literal string
	items   []*node // of a list
	entries []entry // of a mapping, in the order of the file
	quoted  bool    // a text in quotes
}

// entry is a key of a mapping, with its value.
type entry struct {
	key       string
	line, col int
	value     *node
}

// get returns the value of a key; nil if there is none.
func (n *node) get(key string) *node {
	for _, e := range n.entries {
		if e.key == key {
			return e.value
		}
	}
	return nil
}

// appendJSON appends the node as JSON.
func (n *node) appendJSON(b []byte) []byte {
	switch n.kind {
	case listKind:
		b = append(b, '[')
		for i, item := range n.items {
			if i > 0 {
				b = append(b, ',')
			}
			b = item.appendJSON(b)
		}
		return append(b, ']')
	case mapKind:
		b = append(b, '{')
		for i, e := range n.entries {
			if i > 0 {
				b = append(b, ',')
			}
			b = append(appendValue(b, e.key), ':')
			b = e.value.appendJSON(b)
		}
		return append(b, '}')
	}
	return appendValue(b, n.value)
}

// appendValue appends a scalar. Infinity and NaN, which JSON has not, are refused by the parser.
func appendValue(b []byte, v any) []byte {
	text, err := json.Marshal(v)
	if err != nil {
		return append(b, "null"...)
	}
	return append(b, text...)
}

// find returns the node at a path such as roles.viewer.hear[0], below this one, and the key that
// leads to it. Of a path that does not exist, it returns the last part that does, and the rest.
func (n *node) find(path string) (found *node, key *entry, rest string) {
	found = n
	for path != "" {
		if index, ok := strings.CutPrefix(path, "["); ok {
			text, after, _ := strings.Cut(index, "]")
			var at int
			if _, err := fmt.Sscanf(text, "%d", &at); err != nil || at < 0 || at >= len(found.items) {
				return found, key, path
			}
			found, key, path = found.items[at], nil, strings.TrimPrefix(after, ".")
			continue
		}
		e, after := found.step(path)
		if e == nil {
			return found, key, path
		}
		found, key, path = e.value, e, after
	}
	return found, key, ""
}

// step returns the entry with the longest key that begins a path, since a key may have dots
// itself, and the rest of the path.
func (n *node) step(path string) (longest *entry, rest string) {
	for i, e := range n.entries {
		after, ok := strings.CutPrefix(path, e.key)
		if !ok || after != "" && after[0] != '.' && after[0] != '[' || longest != nil && len(e.key) <= len(longest.key) {
			continue
		}
		longest, rest = &n.entries[i], strings.TrimPrefix(after, ".")
	}
	return longest, rest
}
