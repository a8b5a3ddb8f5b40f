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

// requestLine takes the first line of a head apart.
func requestLine(head []byte) (method, target, version string, ok bool) {
	line, _, _ := bytes.Cut(head, []byte("\r\n"))
	parts := strings.Split(string(line), " ")
	if len(parts) != 3 {
		return "", "", "", false
	}
	return parts[0], parts[1], parts[2], true
}

// Target is the request's target as it was sent: path and query. It begins with
// a slash, and has no blank and no control character.
func (r *Request) Target() string {
	_, target, _, _ := requestLine(r.head)
	return target
}

// URL is the request's target taken apart.
func (r *Request) URL() (*url.URL, error) { return url.ParseRequestURI(r.Target()) }

// Header is the value of a header field, or "". A name is compared without
// regard to case. Fields that occur more than once are joined with commas.
func (r *Request) Header(name string) string { return strings.Join(r.Values(name), ", ") }

// Values are the values of a header field, one for each line, in their order.
func (r *Request) Values(name string) []string { return headerValues(r.head, name) }

// RemoteAddr is the client's address, as [Config.ClientAddr] has it. It is the zero
// value for a Unix socket.
func (r *Request) RemoteAddr() netip.AddrPort { return r.client }

// Tag is that of the listener by which the client came.
func (r *Request) Tag() any { return r.tag }

// headerValues gives every value of a header field, trimmed.
func headerValues(head []byte, name string) []string {
	var values []string
	_, rest, _ := bytes.Cut(head, []byte("\r\n"))
	for len(rest) > 0 {
		var line []byte
		line, rest, _ = bytes.Cut(rest, []byte("\r\n"))
		key, value, ok := bytes.Cut(line, []byte(":"))
		if ok && len(key) == len(name) && strings.EqualFold(string(key), name) {
			values = append(values, strings.Trim(string(value), " \t"))
		}
	}
	return values
}

// hasToken reports whether a header field that is a list has a member, whatever
// its case and however many lines the list is on (RFC 9110, 5.6.1).
func hasToken(head []byte, name, token string) bool {
	for _, value := range headerValues(head, name) {
		for member := range strings.SplitSeq(value, ",") {
			if strings.EqualFold(strings.Trim(member, " \t"), token) {
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

// lostUpgrade reports whether the request was one for an upgrade before somebody
// on its way took the hop-by-hop fields out (RFC 9110, 7.6.1).
func lostUpgrade(head []byte) bool {
	return len(headerValues(head, "Sec-WebSocket-Key")) > 0 || len(headerValues(head, "Sec-WebSocket-Version")) > 0
}
