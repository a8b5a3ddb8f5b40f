package engine

import "unicode/utf8"

// checkUTF8 checks text from a byte on, and says how far it is known to be
// valid. A rune that is cut at the end is no error unless the text ends there.
// Bytes that no continuation can mend fail at once (RFC 6455, 8.1).
func checkUTF8(text []byte, from int, last bool) (int, bool) {
	rest := text[from:]
	if utf8.Valid(rest) {
		return len(text), true
	}
	for len(rest) > 0 {
		r, size := utf8.DecodeRune(rest)
		if r == utf8.RuneError && size == 1 {
			// FullRune calls bytes that can only be wrong a full rune.
			return len(text) - len(rest), !last && !utf8.FullRune(rest)
		}
		rest = rest[size:]
	}
	return len(text), true
}
