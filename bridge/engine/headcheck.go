package engine

import (
	"bytes"
	"net/http"
	"strings"
)

// Request smuggling works because a proxy and a server read the same head in different
// ways (RFC 9112, 11.2). What RFC 9112 and RFC 9110 forbid in a head is therefore
// refused for every request on the port, although some parsers are lenient.

// checkLines refuses the part of a head that has come, in which some line
// ends without a carriage return: readers disagree on what its lines are
// (RFC 9112, 2.2). from is where a new search must start.
func checkLines(data []byte, from int) *Refusal {
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

// tlsRecord is the first byte of TLS (RFC 8446, 5.1: a handshake).
const tlsRecord = 0x16

// checkBegin refuses the part of a head that has come, if the rest cannot mend it. from
// is how much of it was looked at before.
func checkBegin(data []byte, from int) *Refusal {
	if len(data) > 0 && data[0] == tlsRecord {
		return malformed("the client speaks TLS, and this port does not; use http:// or ws://")
	}
	return checkLines(data, max(0, from-1))
}

func badLines() *Refusal { return malformed("each line of a request must end with CR LF") }

// manyFields is how many fields' room is kept for the next request.
const manyFields = 128

// read takes a whole head apart. It refuses one that is not strictly HTTP/1.1 or
// HTTP/1.0 in origin form (RFC 9112, 2 to 5).
func (r *Request) read(head []byte) *Refusal {
	r.head = head
	first, rest, no := cutLine(head)
	if no != nil {
		return no
	}
	if no := r.readFirstLine(first); no != nil {
		return no
	}
	if no := r.readFields(rest); no != nil {
		return no
	}
	return r.checkHost()
}

// cutLine cuts off a line, which must end with CR LF.
func cutLine(data []byte) (line, rest []byte, no *Refusal) {
	i := bytes.IndexByte(data, '\n')
	if i <= 0 || data[i-1] != '\r' {
		return nil, nil, badLines()
	}
	return data[:i-1], data[i+1:], nil
}

func (r *Request) readFirstLine(line []byte) *Refusal {
	method, rest, ok1 := bytes.Cut(line, []byte(" "))
	target, version, ok2 := bytes.Cut(rest, []byte(" "))
	r.method, r.target, r.version = method, target, version
	switch {
	case !ok1 || !ok2 || !isToken(method) || bytes.IndexByte(version, ' ') >= 0:
		return malformed("the first line of a request must be a method, a path and the version, with one blank between")
	case string(version) != "HTTP/1.1" && string(version) != "HTTP/1.0":
		return &Refusal{Status: http.StatusHTTPVersionNotSupported, Kind: KindMalformed, Reason: "the request must speak HTTP/1.1"}
	}
	return checkTarget(target)
}

// readFields reads the lines from the second to the empty one.
func (r *Request) readFields(rest []byte) (no *Refusal) {
	if cap(r.fields) > manyFields {
		r.fields = nil
	}
	r.fields = r.fields[:0]
	for {
		var line []byte
		if line, rest, no = cutLine(rest); no != nil || len(line) == 0 {
			return no
		}
		name, value, ok := bytes.Cut(line, []byte(":"))
		switch {
		case !ok || !isToken(name):
			return malformed("a header field must be a name, a colon right behind it, and a value on the same line")
		case hasControl(value):
			return malformed("the header field " + quote(string(name)) + " has a control character in its value")
		}
		r.fields = append(r.fields, field{name, trimBlanks(value)})
	}
}

// checkHost refuses a request that does not name one host (RFC 9112, 3.2).
func (r *Request) checkHost() *Refusal {
	host, lines := r.last("Host")
	switch {
	case lines > 1 || lines == 0 && string(r.version) == "HTTP/1.1":
		return malformed("the request must have one Host")
	case lines == 1 && !isHost(host):
		return malformed("the Host must be a name or an address, with a port or without")
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

// isHost reports whether a text has the characters of a host with or without a port
// (RFC 3986, 3.2.2), and names one: neither a port alone nor the root of all names does.
func isHost(s []byte) bool {
	return consistsOf(s, "-._~%!$&'()*+;=:[]") && s[0] != ':' && s[0] != '.'
}

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
