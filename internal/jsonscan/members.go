package jsonscan

import (
	"bytes"
	"encoding/json"
	"iter"
	"unsafe"
)

// Keys appends the decoded top-level keys of an object to dst, in their order, duplicates
// included. The text must be valid JSON; anything but an object has no keys. Keys without
// escapes are not copied: they alias the text, which must not change while they are in use.
func Keys(dst []string, text []byte) []string {
	m := MembersOf(text)
	for {
		key, _, ok := m.Next()
		if !ok {
			return dst
		}
		dst = append(dst, unsafe.String(unsafe.SliceData(key), len(key)))
	}
}

// Members iterates over the top-level members of a JSON object. The text must be valid JSON;
// for other text the members are undefined, but the iteration ends and does not panic.
type Members struct {
	text []byte
	at   int
}

// MembersOf returns the members of an object. Anything but an object has none.
func MembersOf(text []byte) Members {
	at := skipSpace(text, 0)
	if at == len(text) || text[at] != '{' {
		return Members{}
	}
	return Members{text, at + 1}
}

// Next returns the next member: its decoded key and its value as it is written. ok is false
// at the end. Values, and keys without escapes, alias the text.
func (m *Members) Next() (key, value []byte, ok bool) {
	// Only white space and a comma stand between a value and the next key.
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

// decodeKey decodes a key in quotes.
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

// valueEnd returns the offset after the value that begins at an offset.
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

// stringEnd returns the offset after the string whose opening quote is at an offset. A quote
// ends the string unless an odd number of backslashes precedes it.
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

// nestEnd returns the offset after the object or array that begins at an offset.
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

// Elements iterates over the elements of a JSON array as they are written. The text must be
// valid JSON, as for [Members]. Anything but an array has no elements.
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
