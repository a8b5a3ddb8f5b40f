package actor

import (
	"bytes"
	"fmt"
	"unicode/utf8"

	"github.com/clu-ws/clu-ws/internal/jsonscan"
)

// NaNMode is how an [Envelope] writes the numbers that Python's JSON has but JSON lacks:
// NaN, Infinity and -Infinity. Strings that contain these words do not change.
type NaNMode uint8

const (
	// NaNNull writes null.
	NaNNull NaNMode = iota
	// NaNString writes "NaN", "Infinity", "-Infinity" in quotes.
	NaNString
	// NaNPython writes them without quotes, as CLU does. That is not JSON: a
	// browser's JSON.parse throws.
	NaNPython
)

// ParseNaNMode parses the name of a mode: null, string or python.
func ParseNaNMode(name string) (NaNMode, error) {
	switch name {
	case "null":
		return NaNNull, nil
	case "string":
		return NaNString, nil
	case "python":
		return NaNPython, nil
	}
	return 0, fmt.Errorf("%q is not a way to write NaN; choose null, string or python", name)
}

func (n NaNMode) append(dst []byte, token string) []byte {
	switch n {
	case NaNString:
		dst = append(dst, '"')
		dst = append(dst, token...)
		return append(dst, '"')
	case NaNPython:
		return append(dst, token...)
	}
	return append(dst, "null"...)
}

// appendBody appends a reply's body to dst, or returns why that is impossible. Nearly every
// body is JSON and is copied unchanged; others may be Python's JSON, with NaN and Infinity.
func appendBody(dst, body []byte, nan NaNMode) ([]byte, error) {
	// Python accepts a byte order mark in front of JSON; a browser does not.
	body = bytes.TrimPrefix(body, []byte("\ufeff"))
	body = bytes.Trim(body, " \t\r\n")
	if len(body) == 0 {
		return dst, ErrNoBody
	}
	if !utf8.Valid(body) {
		return dst, ErrNotUTF8
	}
	if valid(body) {
		return append(dst, body...), nil
	}
	// The rewrite is textual, so its result is validated by a parser. Null is the strictest
	// replacement: "NaN" in quotes could pass for a key.
	start := len(dst)
	dst = rewriteNaN(dst, body, NaNNull)
	if !valid(dst[start:]) {
		return dst[:start], ErrNotJSON
	}
	if nan == NaNNull {
		return dst, nil
	}
	return rewriteNaN(dst[:start], body, nan), nil
}

// valid reports whether a text is JSON.
func valid(text []byte) bool {
	ok, _ := jsonscan.Valid(text)
	return ok
}

// nanTokens are in the order in which they must be tried.
var nanTokens = [...]string{"-Infinity", "Infinity", "NaN"}

// rewriteNaN copies JSON text with its NaN and Infinity tokens replaced.
func rewriteNaN(dst, text []byte, nan NaNMode) []byte {
	inString := false
scan:
	for i := 0; i < len(text); {
		c := text[i]
		switch {
		case inString && c == '\\' && i+1 < len(text):
			dst = append(dst, c, text[i+1])
			i += 2
			continue
		case c == '"':
			inString = !inString
		case !inString && (c == '-' || c == 'I' || c == 'N'):
			for _, token := range nanTokens {
				if bytes.HasPrefix(text[i:], []byte(token)) {
					dst = nan.append(dst, token)
					i += len(token)
					continue scan
				}
			}
		}
		dst = append(dst, c)
		i++
	}
	return dst
}
