package engine

import (
	"bytes"
	"crypto/sha1"
	"encoding/base64"
	"errors"
	"net/http"

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

// keyLength is that of a Sec-WebSocket-Key: 16 bytes in base64 (RFC 6455, 4.1).
const keyLength = 24

// checkHandshake refuses an upgrade request that violates RFC 6455, 4.2.1, or has a
// body, which could be taken for frames. It gives the Sec-WebSocket-Key.
func (r *Request) checkHandshake() (key []byte, _ *Refusal) {
	switch {
	case string(r.method) != http.MethodGet:
		return nil, &Refusal{Status: http.StatusMethodNotAllowed, Kind: KindMalformed, Reason: "an upgrade to WebSocket must be a GET"}
	case string(r.version) != "HTTP/1.1":
		return nil, noUpgrade("An upgrade to WebSocket must speak HTTP/1.1, and this request speaks " + string(r.version) + "." + proxySetting)
	case r.hasBody():
		return nil, malformed("an upgrade to WebSocket has no body; leave Content-Length and Transfer-Encoding out")
	}
	if version, lines := r.last("Sec-WebSocket-Version"); lines != 1 || string(version) != "13" {
		return nil, noUpgrade("The request must have one Sec-WebSocket-Version, and it must be 13 (RFC 6455).")
	}
	key, lines := r.last("Sec-WebSocket-Key")
	if lines != 1 {
		return nil, malformed("the request must have one Sec-WebSocket-Key")
	}
	var decoded [keyLength]byte
	if len(key) != keyLength {
		return nil, badKey()
	}
	if n, err := base64.StdEncoding.Decode(decoded[:], key); err != nil || n != 16 {
		return nil, badKey()
	}
	return key, nil
}

func badKey() *Refusal { return malformed("the Sec-WebSocket-Key must be 16 bytes in base64") }

// negotiate answers an upgrade request that was checked. If the handler refuses it, the
// connection ends with that answer.
func (e *Engine) negotiate(r *Request, key []byte) (answer []byte, welcome Welcome, _ *Refusal) {
	var extensions []httphead.Option
	if e.deflate != nil {
		var ok bool
		if extensions, ok = takeOffer(r.Values("Sec-WebSocket-Extensions")); !ok {
			return nil, welcome, malformed("the Sec-WebSocket-Extensions are not understood")
		}
	}
	welcome, err := e.accept(r)
	if err != nil {
		return nil, Welcome{}, refusalOf(err)
	}
	welcome.deflate = len(extensions) > 0
	return accepted(key, welcome.Subprotocol, extensions), welcome, nil
}

const (
	// keyGUID is what a server appends to the key (RFC 6455, 1.3).
	keyGUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"

	switching = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: "
	// acceptLength is that of a SHA-1 in base64.
	acceptLength = 28
)

// accepted is the answer to an upgrade request (RFC 6455, 4.2.2).
func accepted(key []byte, subprotocol string, extensions []httphead.Option) []byte {
	var hashed [keyLength + len(keyGUID)]byte
	sum := sha1.Sum(append(append(hashed[:0], key...), keyGUID...))
	b := make([]byte, 0, len(switching)+acceptLength+len("\r\n\r\n"))
	b = base64.StdEncoding.AppendEncode(append(b, switching...), sum[:])
	if subprotocol != "" {
		b = append(append(b, "\r\nSec-WebSocket-Protocol: "...), subprotocol...)
	}
	if len(extensions) > 0 {
		w := bytes.NewBuffer(append(b, "\r\nSec-WebSocket-Extensions: "...))
		_, _ = httphead.WriteOptions(w, extensions) // a Buffer has no errors
		b = w.Bytes()
	}
	return append(b, "\r\n\r\n"...)
}

// refusalOf returns the refusal in a handler's error.
func refusalOf(err error) *Refusal {
	if no, ok := errors.AsType[*Refusal](err); ok {
		return no
	}
	return &Refusal{Status: http.StatusInternalServerError, Reason: err.Error()}
}
