// Package object finds the top-level members of a JSON object without decoding
// it: where a key and its value stand in the text is often all that is asked.
package object

import (
	"bytes"
	"encoding/json"
	"iter"
	"unsafe"
)

// Keys appends the top-level keys of a body to dst, decoded and in the
// body's order; a key that the body has twice comes twice. The body must be valid
// JSON; one that is no object has no keys. Nothing is allocated for keys without
// escapes: they are parts of body, and hold while its bytes do not change.
func Keys(dst []string, body []byte) []string {
	m := Of(body)
	for {
		key, _, ok := m.Next()
		if !ok {
			return dst
		}
		dst = append(dst, unsafe.String(unsafe.SliceData(key), len(key)))
	}
}

// Members walks through the top-level members of a JSON object. It relies on
// valid JSON: of any other text it makes anything, but it ends and does not panic.
type Members struct {
	text []byte
	at   int
}

// Of begins behind the opening brace; what is no object has no members.
func Of(body []byte) Members {
	at := skipSpace(body, 0)
	if at == len(body) || body[at] != '{' {
		return Members{}
	}
	return Members{body, at + 1}
}

// Next gives a member's key, decoded, and its value as it is written. A key
// without escapes, and every value, is part of the text.
func (m *Members) Next() (key, value []byte, ok bool) {
	// Between a value and the next key are only blanks and a comma.
	open := bytes.IndexByte(m.text[m.at:], '"')
	if open < 0 {
		return nil, nil, false
	}
	open += m.at
	end := stringEnd(m.text, open)
	colon := bytes.IndexByte(m.text[end:], ':')
	if colon < 0 {
		return nil, nil, false
	}
	from := skipSpace(m.text, end+colon+1)
	m.at = valueEnd(m.text, from)
	return decodeKey(m.text[open:end]), m.text[from:m.at], true
}

// decodeKey is what a key in quotes stands for.
func decodeKey(quoted []byte) []byte {
	if bytes.IndexByte(quoted, '\\') >= 0 {
		var key string
		if json.Unmarshal(quoted, &key) == nil {
			return []byte(key)
		}
	}
	return quoted[1 : len(quoted)-1]
}

func skipSpace(text []byte, at int) int {
	for at < len(text) && (text[at] == ' ' || text[at] == '\n' || text[at] == '\t' || text[at] == '\r') {
		at++
	}
	return at
}

// valueEnd is the place behind the value that begins at a place.
func valueEnd(text []byte, at int) int {
	if at == len(text) {
		return at
	}
	switch text[at] {
	case '"':
		return stringEnd(text, at)
	case '{', '[':
		return nestEnd(text, at)
	}
	for at < len(text) {
		switch text[at] {
		case ',', '}', ']', ' ', '\n', '\t', '\r':
			return at
		}
		at++
	}
	return at
}

// stringEnd is the place behind the string whose opening quote is at a place. A
// quote ends it unless an odd number of backslashes stands before it.
func stringEnd(text []byte, open int) int {
	from := open + 1
	for {
		quote := bytes.IndexByte(text[from:], '"')
		if quote < 0 {
			return len(text)
		}
		end := from + quote
		slash := end
		for slash > from && text[slash-1] == '\\' {
			slash--
		}
		from = end + 1
		if (end-slash)%2 == 0 {
			return from
		}
	}
}

// nestEnd is the place behind the object or array that begins at a place.
func nestEnd(text []byte, at int) int {
	for depth := 0; at < len(text); {
		switch text[at] {
		case '"':
			at = stringEnd(text, at)
			continue
		case '{', '[':
			depth++
		case '}', ']':
			depth--
			if depth == 0 {
				return at + 1
			}
		}
		at++
	}
	return at
}

// Elements returns the elements of a JSON array as they are written. It relies on valid
// JSON, as [Members] does; anything but an array has none.
func Elements(text []byte) iter.Seq[[]byte] {
	return func(yield func([]byte) bool) {
		at := skipSpace(text, 0)
		if at == len(text) || text[at] != '[' {
			return
		}
		for at = skipSpace(text, at+1); at < len(text) && text[at] != ']'; at = skipSpace(text, at) {
			from := at
			if at = valueEnd(text, from); !yield(text[from:at]) {
				return
			}
			if at = skipSpace(text, at); at < len(text) && text[at] == ',' {
				at++
			} else {
				return
			}
		}
	}
}
