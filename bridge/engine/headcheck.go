package engine

import (
	"bytes"
	"net/http"
	"strings"
)

// Request smuggling works because a proxy and a server read the same head in different
// ways (RFC 9112, 11.2). What RFC 9112 and RFC 9110 forbid in a head is therefore
// refused for every request on the port, although some parsers are lenient.

// checkLines refuses a complete or partial head with a line that ends without a
// carriage return: parsers disagree on where such lines end (RFC 9112, 2.2). from is
// where the next search starts.
func checkLines(data []byte, from int) *Refusal {
	for at := from; ; {
		i := bytes.IndexByte(data[at:], '\n')
		if i < 0 {
			return nil
		}
		if i += at; i == 0 || data[i-1] != '\r' {
			return malformed("each line of a request must end with CR LF")
		}
		at = i + 1
	}
}

// checkHead refuses a complete head that is not strictly HTTP/1.1 or HTTP/1.0 in origin
// form (RFC 9112, 2 to 5).
func checkHead(head []byte) *Refusal {
	if no := checkLines(head, 0); no != nil {
		return no
	}
	method, target, version, ok := requestLine(head)
	switch {
	case !ok || !isToken(method) || bytes.IndexByte(version, ' ') >= 0:
		return malformed("the first line of a request must be a method, a path and the version, with one blank between")
	case string(version) != "HTTP/1.1" && string(version) != "HTTP/1.0":
		return &Refusal{Status: http.StatusHTTPVersionNotSupported, Kind: KindMalformed, Reason: "the request must speak HTTP/1.1"}
	}
	if no := checkTarget(target); no != nil {
		return no
	}
	hosts := 0
	_, rest, _ := bytes.Cut(head, []byte("\r\n"))
	for len(rest) > 2 { // the empty line
		var line []byte
		line, rest, _ = bytes.Cut(rest, []byte("\r\n"))
		name, value, ok := bytes.Cut(line, []byte(":"))
		switch {
		case !ok || !isToken(name):
			return malformed("a header field must be a name, a colon right behind it, and a value on the same line")
		case hasControl(value):
			return malformed("the header field " + quote(string(name)) + " has a control character in its value")
		case strings.EqualFold(string(name), "Host"):
			if hosts++; !isHost(bytes.Trim(value, " \t")) {
				return malformed("the Host must be a name or an address, with a port or without")
			}
		}
	}
	if hosts > 1 || hosts == 0 && string(version) == "HTTP/1.1" {
		return malformed("the request must have exactly one Host field")
	}
	return nil
}

// checkTarget refuses every form of target but a path with a query (RFC 9112, 3.2.1):
// the others are for proxies.
func checkTarget(target []byte) *Refusal {
	switch {
	case len(target) == 0 || target[0] != '/':
		return malformed("the request must name a path that begins with /, as in GET /live HTTP/1.1; this is no proxy")
	case hasControl(target) || bytes.ContainsAny(target, "\t#"):
		return malformed("the path of the request has a control character or a #; write them percent-encoded")
	}
	return nil
}

// hasControl reports whether a field value or target contains a forbidden control
// character (RFC 9110, 5.5). A tab is allowed.
func hasControl(s []byte) bool {
	for _, b := range s {
		if b < ' ' && b != '\t' || b == 0x7f {
			return true
		}
	}
	return false
}

// isToken reports whether a text is a token (RFC 9110, 5.6.2).
func isToken(s []byte) bool { return consistsOf(s, "!#$%&'*+-.^_`|~") }

// isHost reports whether a text is nonempty and has only characters of a host with or
// without a port (RFC 3986, 3.2.2).
func isHost(s []byte) bool { return consistsOf(s, "-._~%!$&'()*+;=:[]") }

// consistsOf reports whether a text is nonempty and has only letters, digits and these
// characters.
func consistsOf(s []byte, more string) bool {
	for _, b := range s {
		letter := b|0x20 >= 'a' && b|0x20 <= 'z'
		if !letter && (b < '0' || b > '9') && strings.IndexByte(more, b) < 0 {
			return false
		}
	}
	return len(s) > 0
}
