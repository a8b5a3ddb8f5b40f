package actor

import "github.com/clu-ws/clu-ws/internal/shlex"

// The errors of Python's shlex.
const (
	noClosingQuotation = "No closing quotation"
	noEscapedCharacter = "No escaped character"
)

// splitShlex splits a command string as CLU does. The error is a [UsageError].
func splitShlex(s string) ([]string, error) {
	words, open := shlex.Split(s)
	switch open {
	case 0:
		return words, nil
	case '\\':
		return nil, &UsageError{"UsageError", noEscapedCharacter}
	}
	return nil, &UsageError{"UsageError", noClosingQuotation}
}
