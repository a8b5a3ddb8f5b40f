package engine

import (
	"sync"

	"github.com/gobwas/httphead"
)

// The extension of RFC 7692 and its parameters (section 7.1).
const (
	permessageDeflate       = "permessage-deflate"
	serverNoContextTakeover = "server_no_context_takeover"
	clientNoContextTakeover = "client_no_context_takeover"
	serverMaxWindowBits     = "server_max_window_bits"
	clientMaxWindowBits     = "client_max_window_bits"
)

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

// offers takes the first of a client's offers of permessage-deflate that can be
// honoured. RFC 7692 lists them in the order of the client's preference, over
// all its Sec-WebSocket-Extensions fields (section 5.1).
//
// Neither side keeps its window from one message to the next: a frame that is
// made once for everyone can lean on nothing that one client has seen, and a
// window kept for each client would be 32 KiB an idle connection.
type offers struct {
	taken  bool
	answer []httphead.Option // to what was taken
}

// read accepts at most one offer among a client's extensions, over all header lines. It
// is false when they are malformed.
func (o *offers) read(values []string) bool {
	var list []httphead.Option
	for _, value := range values {
		var ok bool
		if list, ok = httphead.ParseOptions([]byte(value), list); !ok {
			return false
		}
	}
	for _, offer := range list {
		o.consider(offer)
	}
	return true
}

// consider accepts or declines one offered extension. A declined offer is no error: the
// client goes on without it.
func (o *offers) consider(offer httphead.Option) {
	if o.taken || string(offer.Name) != permessageDeflate {
		return
	}
	full, ok := checkOffer(&offer.Parameters)
	if !ok {
		return
	}
	o.taken = true
	answer := httphead.Option{Name: []byte(permessageDeflate)}
	answer.Parameters.Set([]byte(serverNoContextTakeover), nil)
	answer.Parameters.Set([]byte(clientNoContextTakeover), nil)
	if full {
		// Accepting a bound means to repeat it (section 7.1.2.1).
		answer.Parameters.Set([]byte(serverMaxWindowBits), []byte("15"))
	}
	o.answer = []httphead.Option{answer}
}

// checkOffer tells whether an offer can be honoured. What is unknown, repeated
// or has a wrong value must be declined (section 7), and so must a bound on our
// window below 15 bits: compress/flate knows no smaller one. full says that the
// client named the bound of 15, which is none.
func checkOffer(params *httphead.Parameters) (full, ok bool) {
	seen := map[string]bool{}
	ok = true
	params.ForEach(func(name, value []byte) bool {
		switch key := string(name); key {
		case serverNoContextTakeover, clientNoContextTakeover:
			ok = len(value) == 0
		case serverMaxWindowBits:
			full = string(value) == "15"
			ok = full
		case clientMaxWindowBits:
			ok = len(value) == 0 || isWindowBits(string(value))
		default:
			ok = false
		}
		ok = ok && !seen[string(name)]
		seen[string(name)] = true
		return ok
	})
	return full, ok
}

// isWindowBits tells whether a value is a window's size: 8 to 15, without
// leading zeros.
func isWindowBits(value string) bool {
	switch value {
	case "8", "9", "10", "11", "12", "13", "14", "15":
		return true
	}
	return false
}
