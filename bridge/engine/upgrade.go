package engine

import (
	"crypto/sha1"
	"encoding/base64"
	"errors"
	"net/http"
	"strings"

	"github.com/gobwas/httphead"
)

// headTooLong reports whether a request head is longer than it may be. end is its
// length with the empty line, or 0 while it is incomplete.
func (e *Engine) headTooLong(end, have int) bool {
	return end > e.cfg.MaxHead || end == 0 && have > e.cfg.MaxHead
}

// proxySetting says how to make a proxy forward upgrades.
const proxySetting = " A proxy before this server must pass the upgrade on; nginx needs: proxy_http_version 1.1;" +
	" proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection \"upgrade\";"

// checkHandshake refuses an upgrade request that violates RFC 6455, 4.2.1, or has a
// body, which could be taken for frames.
func checkHandshake(head []byte) *Refusal {
	method, _, version, _ := requestLine(head)
	lengths := headerValues(head, "Content-Length")
	switch {
	case string(method) != http.MethodGet:
		return &Refusal{Status: http.StatusMethodNotAllowed, Kind: KindMalformed, Reason: "an upgrade to WebSocket must be a GET"}
	case string(version) != "HTTP/1.1":
		return noUpgrade("An upgrade to WebSocket must speak HTTP/1.1, and this request speaks " + string(version) + "." + proxySetting)
	case hasField(head, "Transfer-Encoding") || len(lengths) > 1 || len(lengths) == 1 && lengths[0] != "0":
		return malformed("a WebSocket upgrade must have no body; leave Content-Length and Transfer-Encoding out")
	}
	versions := headerValues(head, "Sec-WebSocket-Version")
	if len(versions) != 1 || versions[0] != "13" {
		return noUpgrade("The request must have one Sec-WebSocket-Version, and it must be 13 (RFC 6455).")
	}
	keys := headerValues(head, "Sec-WebSocket-Key")
	if len(keys) != 1 {
		return malformed("the request must have one Sec-WebSocket-Key")
	}
	if key, err := base64.StdEncoding.DecodeString(keys[0]); err != nil || len(key) != 16 {
		return malformed("the Sec-WebSocket-Key must be 16 bytes in base64")
	}
	return nil
}

// negotiate answers an upgrade request that was checked. If the handler refuses it, the
// connection ends with that answer.
func (e *Engine) negotiate(r *Request) (answer []byte, welcome Welcome, _ *Refusal) {
	var offers offers
	if e.deflate != nil && !offers.read(r.Values("Sec-WebSocket-Extensions")) {
		return nil, welcome, malformed("the Sec-WebSocket-Extensions are not understood")
	}
	welcome, err := e.cfg.Handler.Accept(r)
	if err != nil {
		return nil, Welcome{}, refusalOf(err)
	}
	if offers.taken {
		welcome = welcome.deflated()
	}
	return accepted(headerValues(r.head, "Sec-WebSocket-Key")[0], welcome.Subprotocol, offers.answer), welcome, nil
}

// keyGUID is what a server appends to the key (RFC 6455, 1.3).
const keyGUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"

// accepted is the answer to an upgrade request (RFC 6455, 4.2.2).
func accepted(key, subprotocol string, extensions []httphead.Option) []byte {
	sum := sha1.Sum([]byte(key + keyGUID))
	var b strings.Builder
	b.WriteString("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ")
	b.WriteString(base64.StdEncoding.EncodeToString(sum[:]))
	if subprotocol != "" {
		b.WriteString("\r\nSec-WebSocket-Protocol: " + subprotocol)
	}
	if len(extensions) > 0 {
		b.WriteString("\r\nSec-WebSocket-Extensions: ")
		_, _ = httphead.WriteOptions(&b, extensions) // a Builder returns no errors
	}
	b.WriteString("\r\n\r\n")
	return []byte(b.String())
}

// refusalOf returns the refusal in a handler's error.
func refusalOf(err error) *Refusal {
	if no, ok := errors.AsType[*Refusal](err); ok {
		return no
	}
	return &Refusal{Status: http.StatusInternalServerError, Reason: err.Error()}
}
