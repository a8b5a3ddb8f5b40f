package access

import "strings"

// redacted stands for a credential that is hidden.
const redacted = "(hidden)"

// RedactTarget hides the credentials in the target of a request, or in a URL: the values of the
// parameters m, ticket and token, however they are written.
func RedactTarget(target string) string {
	path, query, ok := strings.Cut(target, "?")
	if !ok {
		return target
	}
	query, fragment, hasFragment := strings.Cut(query, "#")
	pairs := strings.Split(query, "&")
	for i, pair := range pairs {
		if at := secretFrom(pair); at >= 0 {
			pairs[i] = pair[:at] + "=" + redacted
		}
	}
	target = path + "?" + strings.Join(pairs, "&")
	if hasFragment {
		target += "#" + RedactTarget("?" + fragment)[1:]
	}
	return target
}

// RedactQuery is [RedactTarget] for a raw query without its question mark.
func RedactQuery(query string) string { return RedactTarget("?" + query)[1:] }

// RedactProtocols hides the tokens in a list of subprotocols, as in the field
// Sec-WebSocket-Protocol.
func RedactProtocols(list string) string {
	protocols := strings.Split(list, ",")
	for i, p := range protocols {
		if token := strings.TrimLeft(p, " \t"); carriesToken(token) {
			protocols[i] = p[:len(p)-len(token)+len(subprotocolMark)] + redacted
		}
	}
	return strings.Join(protocols, ",")
}

// WithoutCredentials returns a raw query without the parameters that carry credentials, so that what
// reads the other parameters does not meet them.
func WithoutCredentials(query string) string {
	if query == "" {
		return ""
	}
	var rest []string
	for pair := range strings.SplitSeq(query, "&") {
		if secretFrom(pair) < 0 {
			rest = append(rest, pair)
		}
	}
	return strings.Join(rest, "&")
}
