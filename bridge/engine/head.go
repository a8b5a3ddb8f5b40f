package engine

import (
	"bytes"
	"net/netip"
	"net/url"
	"strings"
)

// Request is an upgrade request, valid during [Handler.Accept].
type Request struct {
	head   []byte // the whole head, to the empty line
	client netip.AddrPort
	tag    any
}

// headEnd is how long the request head is, with its empty line, or 0 while it
// is incomplete. from is where a new search must start.
func headEnd(data []byte, from int) int {
	if i := bytes.Index(data[from:], []byte("\r\n\r\n")); i >= 0 {
		return from + i + 4
	}
	return 0
}

// requestLine splits the first line of a head.
func requestLine(head []byte) (method, target, version []byte, ok bool) {
	line, _, _ := bytes.Cut(head, []byte("\r\n"))
	method, rest, ok1 := bytes.Cut(line, []byte(" "))
	target, version, ok2 := bytes.Cut(rest, []byte(" "))
	return method, target, version, ok1 && ok2
}

// Target is the request target as sent: path and query. It begins with a slash, and has
// no spaces or control characters.
func (r *Request) Target() string {
	_, target, _, _ := requestLine(r.head)
	return string(target)
}

// URL is the request's target taken apart.
func (r *Request) URL() (*url.URL, error) { return url.ParseRequestURI(r.Target()) }

// Header is the value of a header field, or "". A name is compared without
// regard to case. Fields that occur more than once are joined with commas.
func (r *Request) Header(name string) string { return strings.Join(r.Values(name), ", ") }

// Values returns the values of a header field, one for each line, in order.
func (r *Request) Values(name string) []string { return headerValues(r.head, name) }

// RemoteAddr is the client's address as returned by [Config.ClientAddr]. It is the zero
// value for a Unix socket.
func (r *Request) RemoteAddr() netip.AddrPort { return r.client }

// Tag is the tag of the listener that accepted the client.
func (r *Request) Tag() any { return r.tag }

// headerValues gives every value of a header field, trimmed.
func headerValues(head []byte, name string) (values []string) {
	for value := range fieldValues(head, name) {
		values = append(values, string(value))
	}
	return values
}

// hasField reports whether a header field is present.
func hasField(head []byte, name string) bool {
	for range fieldValues(head, name) {
		return true
	}
	return false
}

// fieldValues iterates over the trimmed values of a header field, without copying.
func fieldValues(head []byte, name string) func(yield func([]byte) bool) {
	return func(yield func([]byte) bool) {
		_, rest, _ := bytes.Cut(head, []byte("\r\n"))
		for len(rest) > len(name) {
			var line []byte
			line, rest, _ = bytes.Cut(rest, []byte("\r\n"))
			if len(line) <= len(name) || line[len(name)] != ':' || !strings.EqualFold(string(line[:len(name)]), name) {
				continue
			}
			if !yield(bytes.Trim(line[len(name)+1:], " \t")) {
				return
			}
		}
	}
}

// hasToken reports whether a list-valued header field contains a token, ignoring case
// and over all its lines (RFC 9110, 5.6.1).
func hasToken(head []byte, name, token string) bool {
	for value := range fieldValues(head, name) {
		for member := range bytes.SplitSeq(value, []byte(",")) {
			if strings.EqualFold(string(bytes.Trim(member, " \t")), token) {
				return true
			}
		}
	}
	return false
}

// wantsWebSocket reports whether the request asks for an upgrade to WebSocket
// (RFC 6455, 4.2.1).
func wantsWebSocket(head []byte) bool {
	return hasToken(head, "Upgrade", "websocket") && hasToken(head, "Connection", "upgrade")
}

// lostUpgrade reports whether a proxy seems to have removed the hop-by-hop fields of an
// upgrade request (RFC 9110, 7.6.1).
func lostUpgrade(head []byte) bool {
	return hasField(head, "Sec-WebSocket-Key") || hasField(head, "Sec-WebSocket-Version")
}
