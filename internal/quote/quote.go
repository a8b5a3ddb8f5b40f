package quote

import (
	"strconv"
	"unicode/utf8"
)

// Most is the number of characters quoted. A byte that is not UTF-8 counts as one.
const Most = 60

// Text returns a text in quotes, with unprintable characters escaped. A longer text is
// cut to [Most] characters and three dots.
func Text(text string) string { return strconv.Quote(Short(text)) }

// Short returns a text unquoted and unescaped, cut to [Most] characters and three dots
// if it is longer.
func Short(text string) string {
	if len(text) <= Most {
		return text
	}
	end := 0
	for range Most {
		_, size := utf8.DecodeRuneInString(text[end:])
		if end += size; end == len(text) {
			return text
		}
	}
	return text[:end] + "..."
}
