package shlex

import "strings"

// Word is one word of a line.
type Word struct {
	Text       string // without its quotes
	Start, End int    // the bytes of the line that it is written with
}

// Lex reads a line into words. open is the quote that the line leaves open, a backslash if it ends with one that
// escapes nothing, or 0. CLU refuses a line that leaves something open; the open word is the last one. Between double
// quotes a backslash escapes only a double quote and itself, and between single quotes nothing.
func Lex(line string) (words []Word, open rune) {
	var text strings.Builder
	start := -1 // of the word, or -1 between words
	quote := rune(0)
	escaped := false
	for at, r := range line {
		plain := false
		switch {
		case escaped:
			escaped, plain = false, true
			if quote == '"' && r != '"' && r != '\\' {
				text.WriteByte('\\')
			}
		case r == '\\' && quote != '\'':
			escaped = true
		case quote != 0 && r == quote:
			quote = 0
		case quote == 0 && (r == '\'' || r == '"'):
			quote = r
		case quote == 0 && strings.ContainsRune(" \t\r\n", r):
			if start >= 0 {
				words = append(words, Word{text.String(), start, at})
				text.Reset()
				start = -1
			}
			continue
		default:
			plain = true
		}
		if start < 0 {
			start = at
		}
		if plain {
			text.WriteRune(r)
		}
	}
	if start >= 0 {
		words = append(words, Word{text.String(), start, len(line)})
	}
	if escaped {
		return words, '\\'
	}
	return words, quote
}

// Split returns the words of a line without their quotes, and what it leaves open, or 0.
func Split(line string) (texts []string, open rune) {
	words, open := Lex(line)
	for _, w := range words {
		texts = append(texts, w.Text)
	}
	return texts, open
}
