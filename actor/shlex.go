package actor

import "strings"

// The errors of Python's shlex.
const (
	noClosingQuotation = "No closing quotation"
	noEscapedCharacter = "No escaped character"
)

// splitShlex splits a command string as CLU does, by the rules of Python's
// shlex.split: a # is a character like any other, and between double quotes a
// backslash escapes only a double quote and itself. The error is a [UsageError].
func splitShlex(s string) ([]string, error) {
	var words []string
	var word strings.Builder
	inWord := false
	quote := rune(0)
	escaped := false
	for _, r := range s {
		switch {
		case escaped:
			escaped = false
			if quote == '"' && r != '"' && r != '\\' {
				word.WriteByte('\\')
			}
			word.WriteRune(r)
		case r == '\\' && quote != '\'':
			escaped, inWord = true, true
		case quote != 0 && r == quote:
			quote = 0
		case quote == 0 && (r == '\'' || r == '"'):
			quote, inWord = r, true
		case quote == 0 && strings.ContainsRune(" \t\r\n", r):
			if inWord {
				words = append(words, word.String())
				word.Reset()
				inWord = false
			}
		default:
			word.WriteRune(r)
			inWord = true
		}
	}
	switch {
	case escaped:
		return nil, &UsageError{"UsageError", noEscapedCharacter}
	case quote != 0:
		return nil, &UsageError{"UsageError", noClosingQuotation}
	case inWord:
		words = append(words, word.String())
	}
	return words, nil
}
