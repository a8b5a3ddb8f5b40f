// Package quote shows in an error what somebody sent, and never more than the
// beginning of it: an error must not be longer than the message that caused it.
package quote

import (
	"strconv"
	"unicode/utf8"
)

// Most is how many characters are shown of a text. A byte that is not UTF-8 counts
// as one.
const Most = 60

// Text is a text in quotes, with escapes for what cannot be printed. Of a longer one
// it is the first [Most] characters, with three dots behind them in the quotes.
func Text(text string) string { return strconv.Quote(Short(text)) }

// Short is a text of at most [Most] characters, or as many of a longer one and three
// dots. It is not escaped.
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
