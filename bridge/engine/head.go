package engine

import (
	"bytes"
	"encoding/base64"
	"net/netip"
	"net/url"
	"strings"
)

// Request is an upgrade request, valid during [Handler.Accept].
type Request struct {
	head   []byte // the whole head, to the empty line
	remote func() netip.AddrPort
}

// headEnd is how long the request head is, with its empty line, or 0 while it
// is incomplete. from is where a new search must start.
func headEnd(data []byte, from int) int {
	if i := bytes.Index(data[from:], []byte("\r\n\r\n")); i >= 0 {
		return from + i + 4
	}
	return 0
}

// bareLF tells whether some line of a head ends without a carriage return:
// readers disagree on what its lines are (RFC 9112, 2.2).
func bareLF(data []byte) bool {
	for i := bytes.IndexByte(data, '\n'); i >= 0; {
		if i == 0 || data[i-1] != '\r' {
			return true
		}
		next := bytes.IndexByte(data[i+1:], '\n')
		if next < 0 {
			return false
		}
		i += 1 + next
	}
	return false
}

// target is the request's target: path and query.
func (r *Request) target() string {
	line, _, _ := bytes.Cut(r.head, []byte("\r\n"))
	parts := bytes.SplitN(line, []byte(" "), 3)
	if len(parts) < 2 {
		return ""
	}
	return string(parts[1])
}

// URL is the request's target taken apart.
func (r *Request) URL() (*url.URL, error) { return url.ParseRequestURI(r.target()) }

// Header is the value of a header field, or "". A name is compared without
// regard to case. Fields that occur more than once are joined with commas.
func (r *Request) Header(name string) string {
	return strings.Join(headerValues(r.head, name), ", ")
}

// RemoteAddr is the client's address; the zero value for a Unix socket.
func (r *Request) RemoteAddr() netip.AddrPort { return r.remote() }

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

// wantsWebSocket tells whether the request asks for an upgrade to WebSocket.
func wantsWebSocket(head []byte) bool {
	for _, v := range headerValues(head, "Upgrade") {
		for token := range strings.SplitSeq(v, ",") {
			if strings.EqualFold(strings.Trim(token, " \t"), "websocket") {
				return true
			}
		}
	}
	return false
}

// checkKey says what is wrong with the request's Sec-WebSocket-Key, or "". The
// library takes any 24 bytes, and the last of several (RFC 6455, 4.2.1 and 11.3.1).
func checkKey(head []byte) string {
	keys := headerValues(head, "Sec-WebSocket-Key")
	if len(keys) != 1 {
		return "the request must have one Sec-WebSocket-Key"
	}
	if key, err := base64.StdEncoding.DecodeString(keys[0]); err != nil || len(key) != 16 {
		return "the Sec-WebSocket-Key must be 16 bytes in base64"
	}
	return ""
}
