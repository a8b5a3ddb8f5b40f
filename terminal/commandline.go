package terminal

import "github.com/clu-ws/clu-ws/internal/shlex"

// CommandString makes a command string of the words after the actor.
//
// A single word is the command string as it is, so that send dome 'say "a b"' sends what stands between the quotes.
// Of several words the actor gets exactly those that the shell has made: where the shell took quotes away, they are
// put back as CLU reads them. So send dome say "a b" has two words for the actor as well.
func CommandString(words []string) string {
	if len(words) == 1 {
		return words[0]
	}
	return shlex.Join(words)
}
