package shlex

import (
	"strings"
	"unicode"
)

// Quote writes a word so that Lex gives it back.
func Quote(word string) string {
	needsNone := func(r rune) bool {
		return unicode.IsLetter(r) || unicode.IsNumber(r) || strings.ContainsRune("_@%+=:,./^~*?![]{}()<>|;&$#-", r)
	}
	switch {
	case word != "" && strings.IndexFunc(word, func(r rune) bool { return !needsNone(r) }) < 0:
		return word
	case !strings.Contains(word, "'"):
		return "'" + word + "'"
	}
	return `"` + strings.NewReplacer(`"`, `\"`, `\`, `\\`).Replace(word) + `"`
}

// Join writes words as one line.
func Join(words []string) string {
	quoted := make([]string, len(words))
	for i, w := range words {
		quoted[i] = Quote(w)
	}
	return strings.Join(quoted, " ")
}
