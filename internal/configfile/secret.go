package configfile

import "regexp"

// Hidden stands for what is not shown.
const Hidden = "(hidden)"

var (
	// secretValue is the value of a key that may be secret, to the end of the line: in a flow
	// mapping too, and after a dash. A hash of a token is not secret, but is not shown either.
	secretValue = regexp.MustCompile(`(?i)((?:^|[\s{,-])["']?(?:[\w-]*(?:password|secret|token|ticket|hash|url|key))["']?\s*:\s*)\S.*$`)
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
