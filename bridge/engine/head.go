package engine

import (
	"bytes"
	"crypto/tls"
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
	secure                  *tls.Conn // nil without TLS
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
	if r.secure == nil {
		return nil
	}
	state := r.secure.ConnectionState()
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
			if equalFold(trimBlanks(member), token) {
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

// lostUpgrade reports whether a proxy seems to have removed the hop-by-hop fields of an
// upgrade request (RFC 9110, 7.6.1).
func (r *Request) lostUpgrade() bool {
	return r.has("Sec-WebSocket-Key") || r.has("Sec-WebSocket-Version")
}

// hasBody reports whether something of the request is to follow the head, or might be
// thought to (RFC 9112, 6.3).
func (r *Request) hasBody() bool {
	length, lines := r.last("Content-Length")
	return lines > 1 || lines == 1 && string(length) != "0" || r.has("Transfer-Encoding")
}

// equalFold compares what is ASCII without regard to case.
func equalFold(a []byte, b string) bool {
	if len(a) != len(b) {
		return false
	}
	for i, x := range a {
		y := b[i]
		if lower := x | 0x20; x != y && (lower != y|0x20 || lower < 'a' || lower > 'z') {
			return false
		}
	}
	return true
}

// trimBlanks takes blanks and tabs off both ends.
func trimBlanks(s []byte) []byte {
	for len(s) > 0 && (s[0] == ' ' || s[0] == '\t') {
		s = s[1:]
	}
	for len(s) > 0 && (s[len(s)-1] == ' ' || s[len(s)-1] == '\t') {
		s = s[:len(s)-1]
	}
	return s
}
