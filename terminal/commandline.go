package terminal

import "strings"

// CommandString makes a command string of the words after the actor.
//
// A single word is the command string as it is, so that send dome 'say "a b"' sends what stands between the quotes.
// Of several words the actor gets exactly those that the shell has made: where the shell took quotes away, they are
// put back, as Python's shlex reads them. So send dome say "a b" sends say "a b", with two words.
func CommandString(words []string) string {
	if len(words) == 1 {
		return words[0]
	}
	quoted := make([]string, len(words))
	for i, word := range words {
		quoted[i] = quoteWord(word)
	}
	return strings.Join(quoted, " ")
}

// quoteWord returns a word as shlex reads it. Between double quotes, shlex takes a backslash only before a double
// quote or another backslash.
func quoteWord(word string) string {
	if word != "" && !strings.ContainsAny(word, " \t\r\n\"'\\") {
		return word
	}
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(word) + `"`
}
