package configfile

import (
	"regexp"
	"strings"
	"unicode/utf8"
)

// Hidden stands for what is not shown.
const Hidden = "(hidden)"

// secretName is the end of the name of a key whose value may be secret. The fixed value of a header may
// be, and the URLs of callbacks may have a secret.
const secretName = `(?:password|secret|token|ticket|hash|url|key|fixed|authorizer|(?:before|on)-(?:un)?subscribe|on-message|on-heartbeat|on-authorization-change)`

var (
	// secretKey is a key whose value may be secret, in a line.
	secretKey = regexp.MustCompile(`(?i)(?:^|[\s{,-])["']?[\w-]*` + secretName + `["']?\s*:(?:\s|$)`)
	// secretWord is the name of such a key by itself.
	secretWord = regexp.MustCompile(`(?i)` + secretName + `$`)
	// secretValue is the value of a key that may be secret, to the end of the line: in a flow
	// mapping too, and after a dash. A hash of a token is not secret, but is not shown either.
	secretValue = regexp.MustCompile(`(?i)((?:^|[\s{,-])["']?[\w-]*` + secretName + `["']?\s*:\s*)\S.*$`)
	// login is the user and the password of a URL, even in a comment.
	login = regexp.MustCompile(`(://)[^/\s]*@`)
	key   = regexp.MustCompile(`^\s*(?:- +)*["']?[A-Za-z][\w-]*["']?\s*:(?:\s|$)`)
	// item is an item of a list, which may be that of a secret key above it.
	item = regexp.MustCompile(`^(\s*(?:- +)+)\S.*$`)
)

// hideSecrets returns a line without values that may be secret.
func hideSecrets(line string) string {
	line = secretValue.ReplaceAllString(line, "${1}"+Hidden)
	line = login.ReplaceAllString(line, "${1}"+Hidden+"@")
	if !beginsWithKey(line) && item.MatchString(line) && !plainItem.MatchString(line) {
		line = item.ReplaceAllString(line, "${1}"+Hidden)
	}
	return line
}

// plainItem is an item that is a mapping in braces or a short word, as the name of a flag's
// choice or of a claim.
var plainItem = regexp.MustCompile(`^\s*(?:- +)+(?:\{.*|[\w./:*-]{1,24})$`)

// beginsWithKey reports whether a line begins with a key, and is therefore no continuation of a
// text that is above it.
func beginsWithKey(line string) bool { return key.MatchString(line) }

// hides reports whether the text at a place may be part of a secret: of one that begins before it
// in its line, such as what follows a comma that should be in quotes, or in a line above.
func (f *File) hides(line, col int) bool {
	text := f.line(line)
	if at := secretValue.FindStringSubmatchIndex(text); at != nil && col > utf8.RuneCountInString(text[:at[3]]) {
		return true
	}
	return f.belowSecret(line)
}

// belowSecret reports whether a line belongs to the value of a key above it that may be secret.
func (f *File) belowSecret(line int) bool {
	own := f.line(line)
	for line--; line > 0; line-- {
		above := f.line(line)
		if trimmed := strings.TrimSpace(above); trimmed == "" || trimmed[0] == '#' || !isBelow(own, above) {
			continue
		}
		if secretKey.MatchString(above) {
			return true
		}
		own = above
	}
	return false
}

// isBelow reports whether a line belongs to a key or an item in a line above it. The items of a
// list may stand below the first letter of its key.
func isBelow(line, above string) bool {
	in, out := indent(line), indent(above)
	return out < in || out == in && strings.HasPrefix(line[in:], "- ") && !strings.HasPrefix(above[out:], "-")
}

func indent(line string) int { return len(line) - len(strings.TrimLeft(line, " \t")) }
