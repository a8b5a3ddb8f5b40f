package engine

import (
	"bytes"
	"crypto/tls"
	"fmt"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
)

// Request is an upgrade request, valid during [Handler.Accept].
type Request struct {
	head                    []byte // the whole head, to the empty line
	method, target, version []byte // its first line
	fields                  []field
	client                  netip.AddrPort
	tag                     any
	tlsConn                 *tls.Conn // nil without TLS
}

// field is a header field as it lies in the head, its value without blanks around it.
type field struct{ name, value []byte }

// headEnd is how long the request head is, with its empty line, or 0 while it
// is incomplete. from is where a new search must start.
func headEnd(data []byte, from int) int {
	if i := bytes.Index(data[from:], []byte("\r\n\r\n")); i >= 0 {
		return from + i + 4
	}
	return 0
}

// Target is the request target as sent: path and query. It begins with a slash, and has
// no spaces or control characters.
func (r *Request) Target() string { return string(r.target) }

// URL is the request's target taken apart.
func (r *Request) URL() (*url.URL, error) { return url.ParseRequestURI(r.Target()) }

// Header is the value of a header field, or "". A name is compared without
// regard to case. Fields that occur more than once are joined with commas.
func (r *Request) Header(name string) string {
	if value, n := r.last(name); n <= 1 {
		return string(value)
	}
	return strings.Join(r.Values(name), ", ")
}

// Values returns the values of a header field, one for each line, in order.
func (r *Request) Values(name string) (values []string) {
	for value := range r.each(name) {
		values = append(values, string(value))
	}
	return values
}

// RemoteAddr is the client's address as returned by [Config.ClientAddr]. It is the zero
// value for a Unix socket.
func (r *Request) RemoteAddr() netip.AddrPort { return r.client }

// Tag is the tag of the listener that accepted the client.
func (r *Request) Tag() any { return r.tag }

// TLS returns the state of the client's TLS connection, with its certificates; nil if
// the client does not speak TLS.
func (r *Request) TLS() *tls.ConnectionState {
	if r.tlsConn == nil {
		return nil
	}
	state := r.tlsConn.ConnectionState()
	return &state
}

// each goes over the values of a header field as they lie in the head.
func (r *Request) each(name string) func(yield func([]byte) bool) {
	return func(yield func([]byte) bool) {
		for i := range r.fields {
			if f := &r.fields[i]; equalFold(f.name, name) && !yield(f.value) {
				return
			}
		}
	}
}

// last is the last value of a header field, and on how many lines there is one.
func (r *Request) last(name string) (value []byte, lines int) {
	for v := range r.each(name) {
		value, lines = v, lines+1
	}
	return value, lines
}

// has reports whether there is a header field.
func (r *Request) has(name string) bool {
	_, lines := r.last(name)
	return lines > 0
}

// hasToken reports whether a list-valued header field contains a token, ignoring case
// and over all its lines (RFC 9110, 5.6.1).
func (r *Request) hasToken(name, token string) bool {
	for value := range r.each(name) {
		for member := range bytes.SplitSeq(value, []byte(",")) {
			if equalFold(bytes.Trim(member, " \t"), token) {
				return true
			}
		}
	}
	return false
}

// wantsWebSocket reports whether the request asks for an upgrade to WebSocket
// (RFC 6455, 4.2.1).
func (r *Request) wantsWebSocket() bool {
	return r.hasToken("Upgrade", "websocket") && r.hasToken("Connection", "upgrade")
}

// upgradeStripped reports whether a proxy seems to have removed the hop-by-hop fields of an
// upgrade request (RFC 9110, 7.6.1).
func (r *Request) upgradeStripped() bool {
	return r.has("Sec-WebSocket-Key") || r.has("Sec-WebSocket-Version")
}

// hasBody reports whether something of the request is to follow the head, or might be
// thought to (RFC 9112, 6.3).
func (r *Request) hasBody() bool {
	length, lines := r.last("Content-Length")
	return lines > 1 || lines == 1 && string(length) != "0" || r.has("Transfer-Encoding")
}

// equalFold compares what is ASCII without regard to case. What has the same length has no
// letter beyond that: those of Unicode that are equal to one of ASCII are longer.
func equalFold(a []byte, b string) bool { return len(a) == len(b) && bytes.EqualFold(a, []byte(b)) }

// Request smuggling works because a proxy and a server read the same head in different
// ways (RFC 9112, 11.2). What RFC 9112 and RFC 9110 forbid in a head is therefore
// refused for every request on the port, although some parsers are lenient.

// checkLines refuses the part of a head that has come, in which some line
// ends without a carriage return: readers disagree on what its lines are
// (RFC 9112, 2.2). from is where a new search must start.
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

// tlsRecord is the first byte of TLS (RFC 8446, 5.1: a handshake).
const tlsRecord = 0x16

// checkPartial refuses the part of a head that has come, if the rest cannot mend it. from
// is how much of it was looked at before.
func checkPartial(data []byte, from int) *RejectError {
	if len(data) > 0 && data[0] == tlsRecord {
		return malformed("the client speaks TLS, and this port does not; use http:// or ws://")
	}
	return checkLines(data, max(0, from-1))
}

func badLines() *RejectError { return malformed("each line of a request must end with CR LF") }

// maxKeptFields is how many fields' room is kept for the next request.
const maxKeptFields = 128

// read takes a whole head apart. It refuses one that is not strictly HTTP/1.1 or
// HTTP/1.0 in origin form (RFC 9112, 2 to 5).
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
		return malformed("the first line of a request must be a method, a path and the version, with one blank between")
	case string(version) != "HTTP/1.1" && string(version) != "HTTP/1.0":
		return &RejectError{Status: http.StatusHTTPVersionNotSupported, Kind: KindMalformed, Reason: "the request must speak HTTP/1.1"}
	}
	return checkTarget(target)
}

// readFields reads the lines from the second to the empty one.
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
			return malformed("a header field must be a name, a colon right behind it, and a value on the same line")
		case hasControl(value):
			return malformed(fmt.Sprintf("the header field %.60q has a control character in its value", name))
		}
		r.fields = append(r.fields, field{name, bytes.Trim(value, " \t")})
	}
}

// checkHost refuses a request that does not name one host (RFC 9112, 3.2).
func (r *Request) checkHost() *RejectError {
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
func checkTarget(target []byte) *RejectError {
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
