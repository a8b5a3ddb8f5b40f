package engine

import (
	"bytes"
	"fmt"
	"net/http"
	"strings"
)

// Request smuggling works because a proxy and a server parse the same head differently (RFC
// 9112, 11.2). What RFC 9112 and RFC 9110 forbid in a head is therefore rejected for every
// request on the port, although some parsers are lenient.

// checkLines rejects an incomplete head if one of its lines ends without a carriage return:
// parsers disagree on such lines (RFC 9112, 2.2). from is where to continue the search.
func checkLines(data []byte, from int) *RejectError {
	for at := from; ; {
		i := bytes.IndexByte(data[at:], '\n')
		if i < 0 {
			return nil
		}
		if i += at; i == 0 || data[i-1] != '\r' {
			return badLines()
		}
		at = i + 1
	}
}

// tlsRecord is the first byte of a TLS connection (RFC 8446, 5.1: a handshake record).
const tlsRecord = 0x16

// checkPartial rejects an incomplete head that can no longer become valid. from is how much
// of it was checked before.
func checkPartial(data []byte, from int) *RejectError {
	if len(data) > 0 && data[0] == tlsRecord {
		return malformed("the client speaks TLS, and this port does not; use http:// or ws://")
	}
	return checkLines(data, max(0, from-1))
}

func badLines() *RejectError { return malformed("each line of a request must end with CR LF") }

// maxKeptFields bounds the memory kept for the next request's fields.
const maxKeptFields = 128

// read parses a complete head. It rejects one that is not strictly HTTP/1.1 or HTTP/1.0 in
// origin form (RFC 9112, 2 to 5).
func (r *Request) read(head []byte) *RejectError {
	r.head = head
	first, rest, rejectErr := cutLine(head)
	if rejectErr != nil {
		return rejectErr
	}
	if rejectErr := r.readFirstLine(first); rejectErr != nil {
		return rejectErr
	}
	if rejectErr := r.readFields(rest); rejectErr != nil {
		return rejectErr
	}
	return r.checkHost()
}

// cutLine cuts off a line, which must end with CR LF.
func cutLine(data []byte) (line, rest []byte, rejectErr *RejectError) {
	i := bytes.IndexByte(data, '\n')
	if i <= 0 || data[i-1] != '\r' {
		return nil, nil, badLines()
	}
	return data[:i-1], data[i+1:], nil
}

func (r *Request) readFirstLine(line []byte) *RejectError {
	method, rest, ok1 := bytes.Cut(line, []byte(" "))
	target, version, ok2 := bytes.Cut(rest, []byte(" "))
	r.method, r.target, r.version = method, target, version
	switch {
	case !ok1 || !ok2 || !isToken(method) || bytes.IndexByte(version, ' ') >= 0:
		return malformed("the first line of a request must be a method, a path and a version, separated by single spaces")
	case string(version) != "HTTP/1.1" && string(version) != "HTTP/1.0":
		return &RejectError{Status: http.StatusHTTPVersionNotSupported, Kind: KindMalformed, Reason: "the request must speak HTTP/1.1"}
	}
	return checkTarget(target)
}

// readFields parses the header fields, up to the empty line.
func (r *Request) readFields(rest []byte) (rejectErr *RejectError) {
	if cap(r.fields) > maxKeptFields {
		r.fields = nil
	}
	r.fields = r.fields[:0]
	for {
		var line []byte
		if line, rest, rejectErr = cutLine(rest); rejectErr != nil || len(line) == 0 {
			return rejectErr
		}
		name, value, ok := bytes.Cut(line, []byte(":"))
		switch {
		case !ok || !isToken(name):
			return malformed("a header field must be a name, directly followed by a colon, and a value on the same line")
		case hasControl(value):
			return malformed(fmt.Sprintf("the header field %.60q has a control character in its value", name))
		}
		r.fields = append(r.fields, field{name, bytes.Trim(value, " \t")})
	}
}

// checkHost rejects a request that does not name exactly one host (RFC 9112, 3.2).
func (r *Request) checkHost() *RejectError {
	host, lines := r.last("Host")
	switch {
	case lines > 1 || lines == 0 && string(r.version) == "HTTP/1.1":
		return malformed("the request must have exactly one Host")
	case lines == 1 && !isHost(host):
		return malformed("the Host must be a name or an address, optionally with a port")
	}
	return nil
}

// checkTarget rejects every target that is not a path with an optional query (RFC 9112,
// 3.2.1): the other forms are for proxies.
func checkTarget(target []byte) *RejectError {
	switch {
	case len(target) == 0 || target[0] != '/':
		return malformed("the request must name a path that begins with /, as in GET /live HTTP/1.1; this is not a proxy")
	case hasControl(target) || bytes.ContainsAny(target, "\t#"):
		return malformed("the path of the request has a control character or a #; percent-encode them")
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

// isToken reports whether s is a token (RFC 9110, 5.6.2).
func isToken(s []byte) bool { return consistsOf(s, "!#$%&'*+-.^_`|~") }

// isHost reports whether s has the characters of a host with an optional port (RFC 3986,
// 3.2.2), and is more than a port or the DNS root.
func isHost(s []byte) bool {
	return consistsOf(s, "-._~%!$&'()*+;=:[]") && s[0] != ':' && s[0] != '.'
}

// consistsOf reports whether s is nonempty and has only letters, digits and the given
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
