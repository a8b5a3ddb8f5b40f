package engine

import (
	"slices"
	"sync"

	"github.com/gobwas/httphead"
	"github.com/gobwas/ws/wsflate"
)

// permessageDeflate is the extension of RFC 7692.
const permessageDeflate = wsflate.ExtensionName

// rsv1 marks a message's first frame as compressed (RFC 7692, 6).
const rsv1 = 0x40

// syncTail ends what a flate.Writer flushes: an empty stored block, whose length
// is not sent (RFC 7692, 7.2.1).
const syncTail = "\x00\x00\xff\xff"

// deflate makes the frames and reads the messages of permessage-deflate. What it
// needs for that is borrowed for one frame or message: a compressor is
// over 1 MiB, an inflater 44 KiB.
type deflate struct {
	maxMessage int       // of a message, inflated
	deflaters  sync.Pool // of *deflater
	inflaters  sync.Pool // of *inflater
}

func newDeflate(maxMessage int) *deflate {
	d := &deflate{maxMessage: maxMessage}
	d.deflaters.New = func() any { return newDeflater() }
	d.inflaters.New = func() any { return newInflater() }
	return d
}

// takeOffer accepts the first of a client's offers of permessage-deflate that can be
// honoured, and returns the answer to it; none if there is no such offer, which is no
// error: the client goes on without. RFC 7692 lists them in the order of the client's
// preference, over all its Sec-WebSocket-Extensions fields (section 5.1). ok is false
// when those are malformed.
//
// Neither side keeps its window from one message to the next: a frame that is
// made once for everyone can lean on nothing that one client has seen, and a
// window kept for each client would be 32 KiB an idle connection.
func takeOffer(values []string) (answer []httphead.Option, ok bool) {
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

// checkOffer reports whether an offer can be honoured. What is unknown, repeated
// or has a wrong value must be declined (section 7), and so must a bound on our
// window below 15 bits: compress/flate knows no smaller one. bits is 15 if the client
// named that bound, which is none: accepting it means to repeat it (section 7.1.2.1).
// [wsflate.Parameters] is more lenient.
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
