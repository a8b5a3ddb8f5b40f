package model

import (
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"
)

// Bounds of what an actor may tell of itself. SDSS's own actors have some dozens of commands, and
// schemas of about a hundred kilobytes at most.
const (
	// maxAnswer is the length in bytes of the longest answer that is read.
	maxAnswer     = 4 << 20
	maxCommands   = 1000 // subcommands included
	maxParams     = 100  // of one command
	maxDepth      = 8    // of groups in groups, of members in members, and of references
	maxWords      = 256  // choices of a parameter, values of a keyword, names of an option
	maxWordBytes  = 256
	maxTextBytes  = 4 << 10 // of a help text or a description
	maxKeywords   = 4000    // members included
	maxHelpAsked  = 100     // commands whose help is read
	maxValueBytes = 1 << 10 // of a default, or of a keyword's possible value
)

// bounded counts what is read, and remembers what was left out.
type bounded struct {
	left    int // how many more may be read
	dropped []string
}

// take reports whether another one may be read.
func (b *bounded) take() bool {
	b.left--
	return b.left >= 0
}

// drop notes that something was left out.
func (b *bounded) drop(format string, args ...any) {
	if what := fmt.Sprintf(format, args...); len(b.dropped) < 8 && !slices.Contains(b.dropped, what) {
		b.dropped = append(b.dropped, what)
	}
}

// problem returns a sentence that says what was left out, or "".
func (b *bounded) problem(of string) string {
	if len(b.dropped) == 0 {
		return ""
	}
	return "The actor's " + of + " is too large: left out are " + strings.Join(b.dropped, ", ") + "."
}

// text cuts a text that is too long, at a character, and makes it valid UTF-8.
func text(s string, limit int) string {
	s = strings.ToValidUTF8(s, "\ufffd")
	if len(s) <= limit {
		return s
	}
	s = s[:limit]
	for !utf8.ValidString(s) {
		s = s[:len(s)-1]
	}
	return s + "…"
}
