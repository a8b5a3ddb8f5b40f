package protocol

import "strconv"

// halfSurrogate reports whether a JSON string has an escaped surrogate without its other half.
// JSON allows it (RFC 8259, 8.2), but UTF-8 cannot encode it, and encoding/json replaces it by
// U+FFFD, which would make two different ids equal.
func halfSurrogate(text []byte) bool {
	high := false
	for i := 0; i < len(text); i++ {
		low := false
		if text[i] == '\\' {
			if i++; text[i] == 'u' {
				code, err := strconv.ParseUint(string(text[i+1:i+5]), 16, 32)
				i += 4
				if low = err == nil && code >= 0xdc00 && code < 0xe000; low != high {
					return true
				}
				if err == nil && code >= 0xd800 && code < 0xdc00 {
					high = true
					continue
				}
			}
		}
		if high && !low {
			return true
		}
		high = false
	}
	return high
}

// Kind returns what a JSON text is, with an article, for error messages.
func Kind(text []byte) string {
	for _, c := range text {
		switch c {
		case ' ', '\t', '\r', '\n':
			continue
		case '{':
			return "an object"
		case '[':
			return "a list"
		case '"':
			return "a string"
		case 't', 'f':
			return "a boolean"
		case 'n':
			return "null"
		}
		break
	}
	return "a number"
}
