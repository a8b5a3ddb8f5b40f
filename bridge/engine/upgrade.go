package engine

import (
	"bytes"
	"crypto/sha1"
	"encoding/base64"
	"errors"
	"net/http"
	"slices"
	"sync"

	"github.com/gobwas/httphead"
	"github.com/gobwas/ws/wsflate"
)

// headTooLong reports whether a request head is too long. end is its length with the empty
// line, or 0 while it is incomplete.
func (e *Engine) headTooLong(end, have int) bool {
	return end > e.cfg.MaxHead || end == 0 && have > e.cfg.MaxHead
}

// proxyHint says how to make a proxy forward upgrades.
const proxyHint = " A proxy in front of this server must forward the upgrade; nginx needs: proxy_http_version 1.1;" +
	" proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection \"upgrade\";"

// keyLength is the length of a Sec-WebSocket-Key: 16 bytes in base64 (RFC 6455, 4.1).
const keyLength = 24

// checkHandshake rejects an upgrade request that violates RFC 6455, 4.2.1, or has a body,
// which could be taken for frames. It returns the Sec-WebSocket-Key.
func (r *Request) checkHandshake() (key []byte, _ *RejectError) {
	switch {
	case string(r.method) != http.MethodGet:
		return nil, &RejectError{Status: http.StatusMethodNotAllowed, Kind: KindMalformed, Reason: "an upgrade to WebSocket must be a GET"}
	case string(r.version) != "HTTP/1.1":
		return nil, upgradeRequired("A WebSocket upgrade requires HTTP/1.1, and this request uses " + string(r.version) + "." + proxyHint)
	case r.hasBody():
		return nil, malformed("an upgrade to WebSocket must not have a body; remove Content-Length and Transfer-Encoding")
	}
	if version, lines := r.last("Sec-WebSocket-Version"); lines != 1 || string(version) != "13" {
		return nil, upgradeRequired("The request must have exactly one Sec-WebSocket-Version, 13 (RFC 6455).")
	}
	key, lines := r.last("Sec-WebSocket-Key")
	if lines != 1 {
		return nil, malformed("the request must have exactly one Sec-WebSocket-Key")
	}
	var decoded [keyLength]byte
	n, err := base64.StdEncoding.Decode(decoded[:], key[:min(len(key), keyLength)])
	if len(key) != keyLength || err != nil || n != 16 {
		return nil, malformed("the Sec-WebSocket-Key must be 16 bytes in base64")
	}
	return key, nil
}

// upgrade is what the response to a valid upgrade request needs of it. The zero value stands
// for a request that is no upgrade.
type upgrade struct {
	key        [keyLength]byte   // Sec-WebSocket-Key
	extensions []httphead.Option // accepted ones
}

// checkUpgrade rejects an invalid upgrade request, and negotiates the extensions.
func (e *Engine) checkUpgrade(r *Request) (u upgrade, _ *RejectError) {
	key, rejectErr := r.checkHandshake()
	if rejectErr != nil {
		return u, rejectErr
	}
	if e.deflate != nil {
		var ok bool
		if u.extensions, ok = acceptOffer(r.Values("Sec-WebSocket-Extensions")); !ok {
			return u, malformed("the Sec-WebSocket-Extensions are malformed")
		}
	}
	copy(u.key[:], key)
	return u, nil
}

func (u *upgrade) valid() bool { return u.key[0] != 0 }

// deflate reports whether permessage-deflate was negotiated.
func (u *upgrade) deflate() bool { return len(u.extensions) > 0 }

const (
	// keyGUID is what a server appends to the key (RFC 6455, 1.3).
	keyGUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"

	switchingProtocols = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: "
	// acceptLength is the length of a SHA-1 in base64.
	acceptLength = 28
)

// response returns the response to an upgrade request (RFC 6455, 4.2.2).
func (u *upgrade) response(subprotocol string) []byte {
	var hashed [keyLength + len(keyGUID)]byte
	sum := sha1.Sum(append(append(hashed[:0], u.key[:]...), keyGUID...))
	b := make([]byte, 0, len(switchingProtocols)+acceptLength+len("\r\n\r\n"))
	b = base64.StdEncoding.AppendEncode(append(b, switchingProtocols...), sum[:])
	if subprotocol != "" {
		b = append(append(b, "\r\nSec-WebSocket-Protocol: "...), subprotocol...)
	}
	if u.deflate() {
		w := bytes.NewBuffer(append(b, "\r\nSec-WebSocket-Extensions: "...))
		_, _ = httphead.WriteOptions(w, u.extensions) // a Buffer has no errors
		b = w.Bytes()
	}
	return append(b, "\r\n\r\n"...)
}

// rejectErrorOf returns a handler's error as a RejectError.
func rejectErrorOf(err error) *RejectError {
	if rejectErr, ok := errors.AsType[*RejectError](err); ok {
		return rejectErr
	}
	return &RejectError{Status: http.StatusInternalServerError, Reason: err.Error()}
}

// permessageDeflate is the extension of RFC 7692.
const permessageDeflate = wsflate.ExtensionName

// rsv1 marks a message's first frame as compressed (RFC 7692, 6).
const rsv1 = 0x40

// syncTail ends the output of flate.Writer.Flush: an empty stored block, whose length is
// not sent (RFC 7692, 7.2.1).
const syncTail = "\x00\x00\xff\xff"

// deflate implements permessage-deflate. Compressors and inflaters, of over 1 MiB and 44
// KiB, are borrowed for one frame or message.
type deflate struct {
	maxMessage int       // of an inflated message
	deflaters  sync.Pool // of *deflater
	inflaters  sync.Pool // of *inflater
}

func newDeflate(maxMessage int) *deflate {
	d := &deflate{maxMessage: maxMessage}
	d.deflaters.New = func() any { return newDeflater() }
	d.inflaters.New = func() any { return newInflater() }
	return d
}

// acceptOffer accepts the first offer of permessage-deflate that can be honored, and
// returns the response to it. If there is none, that is no error, and the client goes on
// without compression. Offers are in the order of the client's preference, over all its
// Sec-WebSocket-Extensions fields (RFC 7692, 5.1). ok is false if those are malformed.
//
// Neither side keeps its window from one message to the next: a frame compressed once for
// all clients cannot refer to what one of them has received, and a window per client would
// cost 32 KiB for each idle connection.
func acceptOffer(values []string) (response []httphead.Option, ok bool) {
	var offers []httphead.Option
	for _, value := range values {
		if offers, ok = httphead.ParseOptions([]byte(value), offers); !ok {
			return nil, false
		}
	}
	for _, offer := range offers {
		if string(offer.Name) != permessageDeflate {
			continue
		}
		if bits, ok := checkOffer(&offer.Parameters); ok {
			taken := wsflate.Parameters{ServerNoContextTakeover: true, ClientNoContextTakeover: true, ServerMaxWindowBits: bits}
			return []httphead.Option{taken.Option()}, true
		}
	}
	return nil, true
}

// checkOffer reports whether an offer can be honored. Parameters that are unknown, repeated
// or invalid must be declined (section 7), and so must a limit on our window below 15 bits,
// which compress/flate does not support. bits is 15 if the client named that limit, which
// must then be repeated in the response (section 7.1.2.1). [wsflate.Parameters] is more
// lenient.
func checkOffer(params *httphead.Parameters) (bits wsflate.WindowBits, ok bool) {
	seen := map[string]bool{}
	ok = true
	params.ForEach(func(name, value []byte) bool {
		switch key := string(name); key {
		case "server_no_context_takeover", "client_no_context_takeover":
			ok = len(value) == 0
		case "server_max_window_bits":
			bits, ok = 15, string(value) == "15"
		case "client_max_window_bits":
			ok = slices.Contains([]string{"", "8", "9", "10", "11", "12", "13", "14", "15"}, string(value))
		default:
			ok = false
		}
		ok = ok && !seen[string(name)]
		seen[string(name)] = true
		return ok
	})
	return bits, ok
}
