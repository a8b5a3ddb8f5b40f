package engine

import (
	"bytes"
	"crypto/tls"
	"net/netip"
	"net/url"
	"strings"
)

// Request is an upgrade request, valid only during [Handler].Accept, unless it is a clone.
type Request struct {
	head                    []byte // the whole head, with the empty line
	method, target, version []byte // the request line
	fields                  []field
	peer, client            netip.AddrPort
	tag                     any
	tlsConn                 *tls.Conn // nil without TLS
	unix                    bool      // it came through a Unix socket
	fd                      int32     // the socket; not in a clone
	unixPeer                *UnixPeer // in a clone only
}

// Clone returns a copy that stays valid.
func (r *Request) Clone() *Request {
	c := *r
	c.fields, c.unix = nil, false
	_ = c.read(bytes.Clone(r.head)) // it was read before
	if peer, ok := r.UnixPeer(); ok {
		c.unixPeer = &peer
	}
	return &c
}

// field is a header field, referring to the head. Its value is trimmed.
type field struct{ name, value []byte }

// headEnd returns the length of the request head with its empty line, or 0 while it is
// incomplete. from is where to continue the search.
func headEnd(data []byte, from int) int {
	if i := bytes.Index(data[from:], []byte("\r\n\r\n")); i >= 0 {
		return from + i + 4
	}
	return 0
}

// Target returns the request target as sent: path and query. It begins with a slash, and
// has no spaces or control characters.
func (r *Request) Target() string { return string(r.target) }

// URL returns the parsed request target.
func (r *Request) URL() (*url.URL, error) { return url.ParseRequestURI(r.Target()) }

// Header returns the value of a header field, or "". Names are case-insensitive. Repeated
// fields are joined with commas.
func (r *Request) Header(name string) string {
	if value, n := r.last(name); n <= 1 {
		return string(value)
	}
	return strings.Join(r.Values(name), ", ")
}

// Values returns the values of a header field in order, one per line.
func (r *Request) Values(name string) (values []string) {
	for value := range r.each(name) {
		values = append(values, string(value))
	}
	return values
}

// RemoteAddr returns the client's address as determined by [Config.ClientAddr]. It is the
// zero value for a Unix socket.
func (r *Request) RemoteAddr() netip.AddrPort { return r.client }

// PeerAddr returns the address of the connection itself, or the one in its PROXY header. It
// is the zero value for a Unix socket. Unlike RemoteAddr it is never taken from the request,
// so it can decide whether the request's claims are trusted.
func (r *Request) PeerAddr() netip.AddrPort { return r.peer }

// Tag returns the tag of the listener that accepted the client.
func (r *Request) Tag() any { return r.tag }

// TLS returns the state of the client's TLS connection, including client certificates; nil
// without TLS.
func (r *Request) TLS() *tls.ConnectionState {
	if r.tlsConn == nil {
		return nil
	}
	state := r.tlsConn.ConnectionState()
	return &state
}

// each iterates over the values of a header field without copying them.
func (r *Request) each(name string) func(yield func([]byte) bool) {
	return func(yield func([]byte) bool) {
		for i := range r.fields {
			if f := &r.fields[i]; equalFold(f.name, name) && !yield(f.value) {
				return
			}
		}
	}
}

// last returns the last value of a header field, and its number of lines.
func (r *Request) last(name string) (value []byte, lines int) {
	for v := range r.each(name) {
		value, lines = v, lines+1
	}
	return value, lines
}

// has reports whether the request has a header field.
func (r *Request) has(name string) bool {
	_, lines := r.last(name)
	return lines > 0
}

// hasToken reports whether a list-valued header field contains a token, ignoring case and
// over all its lines (RFC 9110, 5.6.1).
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

// hasBody reports whether the request has a body, or might be thought to (RFC 9112, 6.3).
func (r *Request) hasBody() bool {
	length, lines := r.last("Content-Length")
	return lines > 1 || lines == 1 && string(length) != "0" || r.has("Transfer-Encoding")
}

// equalFold compares ASCII without regard to case. Non-ASCII letters that fold to ASCII are
// longer, so comparing the lengths excludes them.
func equalFold(a []byte, b string) bool { return len(a) == len(b) && bytes.EqualFold(a, []byte(b)) }
