package access

import (
	"encoding/base64"
	"iter"
	"net/url"
	"strings"
)

// credential is what a client shows.
type credential struct {
	kind  credentialKind
	value string
	// fromField is set if it is in the field Authorization, which may be forwarded to a callback.
	fromField bool
	// remembered is set if a browser may show it unasked, like the password of Basic.
	remembered bool
}

type credentialKind int

const (
	noCredential    credentialKind = iota
	signedURL                      // m
	bearerToken                    // a token or a JWT, or what the callback takes as a ticket
	loginTicket                    // for the callback
	tokenInURL                     // a bearer token where logs may show it
	unreadableField                // no credential that is known here
)

// subprotocolMark begins a subprotocol that carries a token: browsers can set no other field.
const subprotocolMark = "bearer."

// fields returns the values of a header field.
func (ap *Approach) fields(name string) []string {
	if ap.Headers == nil {
		return nil
	}
	return ap.Headers(name)
}

// shown returns the credential that a client shows, or a refusal if it shows several. A header
// overrides a cookie, which a browser sends unasked.
func (s *state) shown(ap *Approach) (credential, *Refusal) {
	if ap.Message != "" {
		return credential{kind: bearerToken, value: ap.Message}, nil
	}
	all := inHeader(ap)
	header := len(all) > 0
	query, refusal := inQuery(ap.Query)
	if refusal != nil {
		return credential{}, refusal
	}
	all = append(all, query...)
	if !header && s.cfg.Cookie != "" && ap.OriginAllowed {
		all = append(all, inCookie(ap, s.cfg.Cookie)...)
	}
	switch len(all) {
	case 0:
		return credential{}, nil
	case 1:
		return all[0], nil
	}
	return credential{}, &Refusal{Status: 400, Code: "several", Reason: "there is more than one credential; send one, in the field Authorization, a subprotocol, the URL or a cookie"}
}

// inHeader finds the credentials of header fields.
func inHeader(ap *Approach) (all []credential) {
	for _, line := range ap.fields("Authorization") {
		all = append(all, readAuthorization(line))
	}
	for _, line := range ap.fields("Sec-WebSocket-Protocol") {
		for protocol := range strings.SplitSeq(line, ",") {
			if protocol = strings.TrimSpace(protocol); carriesToken(protocol) {
				all = append(all, credential{kind: bearerToken, value: protocol[len(subprotocolMark):]})
			}
		}
	}
	return all
}

// carriesToken reports whether a subprotocol carries a token. Names of subprotocols are case-sensitive,
// but Bearer.TOKEN also shows a token, and its client must not become anonymous.
func carriesToken(protocol string) bool {
	return len(protocol) >= len(subprotocolMark) && strings.EqualFold(protocol[:len(subprotocolMark)], subprotocolMark)
}

// OffersToken reports whether one of a list of subprotocols, as in the field Sec-WebSocket-Protocol,
// carries a token.
func OffersToken(list string) bool {
	for protocol := range strings.SplitSeq(list, ",") {
		if carriesToken(strings.TrimSpace(protocol)) {
			return true
		}
	}
	return false
}

// ShowsBearer reports whether a client shows a credential that no browser adds by itself: then the
// origin of its page does not matter.
func (ap *Approach) ShowsBearer() bool {
	for _, c := range inHeader(ap) {
		if c.kind == bearerToken && !c.remembered {
			return true
		}
	}
	return WithoutCredentials(ap.Query) != ap.Query
}

// readAuthorization reads a field Authorization: a bearer token (RFC 6750), or the password of Basic
// (RFC 7617), whatever its user.
func readAuthorization(line string) credential {
	scheme, value, _ := strings.Cut(strings.TrimSpace(line), " ")
	value = strings.TrimSpace(value)
	switch strings.ToLower(scheme) {
	case "bearer":
		return credential{kind: bearerToken, value: value, fromField: true}
	case "basic":
		if text, err := base64.StdEncoding.DecodeString(value); err == nil {
			if _, password, ok := strings.Cut(string(text), ":"); ok {
				return credential{kind: bearerToken, value: password, fromField: true, remembered: true}
			}
		}
	}
	return credential{kind: unreadableField, fromField: true}
}

// inQuery finds the credentials of a raw query. Some parsers take a semicolon for an ampersand: who
// writes one before a credential shows it, and is not to be anonymous.
func inQuery(query string) (all []credential, refusal *Refusal) {
	for pair := range strings.SplitSeq(query, "&") {
		name, value, _ := strings.Cut(pair, "=")
		kind, ok := queryCredential(name)
		if !ok {
			if secretFrom(pair) >= 0 {
				return nil, &Refusal{Status: 400, Code: "invalid", Reason: "there is a semicolon before the credential in the URL; write & between parameters"}
			}
			continue
		}
		text, err := url.QueryUnescape(value)
		if err != nil {
			return nil, &Refusal{Status: 400, Code: "invalid", Reason: "the credential in the URL has a percent sign that is not an escape; encode it"}
		}
		all = append(all, credential{kind: kind, value: text})
	}
	return all, nil
}

// secretFrom returns where the first credential of a pair of a query begins, after its name, or -1.
// Parts of the pair may be separated by semicolons.
func secretFrom(pair string) int {
	at := 0
	for part := range strings.SplitSeq(pair, ";") {
		name, _, _ := strings.Cut(part, "=")
		if _, ok := queryCredential(name); ok {
			return at + len(name)
		}
		at += len(part) + 1
	}
	return -1
}

// queryCredential returns the kind of credential that a parameter of a URL carries, given its name
// as it is written. In another case a word is no less a secret; M may be another parameter.
func queryCredential(name string) (kind credentialKind, ok bool) {
	if text, err := url.QueryUnescape(name); err == nil {
		name = text
	}
	switch {
	case name == "m":
		return signedURL, true
	case strings.EqualFold(name, "ticket"):
		return loginTicket, true
	case strings.EqualFold(name, "token"):
		return tokenInURL, true
	}
	return noCredential, false
}

// inCookie finds the tokens of cookies with a name.
func inCookie(ap *Approach, name string) (all []credential) {
	for given, value := range cookies(ap) {
		if inner, ok := strings.CutPrefix(value, `"`); ok && strings.HasSuffix(inner, `"`) {
			value = inner[:len(inner)-1]
		}
		if given == name && value != "" {
			all = append(all, credential{kind: bearerToken, value: value})
		}
	}
	return all
}

// cookies iterates over the names and values of a client's cookies as they are sent. net/http leaves
// out what is malformed: then a credential that is not valid would be none.
func cookies(ap *Approach) iter.Seq2[string, string] {
	return func(yield func(name, value string) bool) {
		for _, line := range ap.fields("Cookie") {
			for part := range strings.SplitSeq(line, ";") {
				name, value, _ := strings.Cut(part, "=")
				if !yield(strings.TrimSpace(name), strings.TrimSpace(value)) {
					return
				}
			}
		}
	}
}
