package engine

import (
	"bytes"
	"compress/flate"
	"fmt"
	"io"
	"unicode/utf8"

	"github.com/gobwas/ws"
)

const (
	// inflateTail is appended to a message: the bytes that its sender left out, and an
	// empty final block, which distinguishes the message's end from a truncation.
	inflateTail = syncTail + "\x01\x00\x00\xff\xff"
	// inflateBuffer is an inflater's initial buffer, more than a command needs.
	inflateBuffer = 4 << 10
	// maxKeptBuffer is the largest buffer that an inflater keeps.
	maxKeptBuffer = 64 << 10
)

// wireLimit returns the length of the longest compressed message. Incompressible data
// grows: a client that may send a message uncompressed must be able to send it compressed,
// however its encoder splits it into blocks.
func (d *deflate) wireLimit() int { return d.maxMessage + d.maxMessage/16 + 64 }

// deflatedLimit clears the compression bit in a frame's header, and returns the bound of
// its message on the wire. The bit belongs on a message's first frame; elsewhere it stays
// set, a protocol error as without the extension (RFC 7692, 6.1).
func (p *parser) deflatedLimit(h *ws.Header, maxMessage int) int {
	if p.deflate == nil {
		return maxMessage
	}
	if h.OpCode == ws.OpText || h.OpCode == ws.OpBinary {
		p.deflated = h.Rsv&(rsv1>>4) != 0
		h.Rsv &^= rsv1 >> 4
	}
	if p.deflated {
		return p.deflate.wireLimit()
	}
	return maxMessage
}

// inflated delivers a complete compressed message, unless the connection is closing: then
// it is not worth inflating.
func (p *parser) inflated(payload []byte, to sink) (goOn bool, _ *closeError) {
	if !to.wantsMessages() {
		p.message = p.message[:0]
		return true, nil
	}
	in := p.deflate.inflaters.Get().(*inflater)
	defer p.deflate.inflaters.Put(in)
	message, err := in.inflate(payload, p.deflate.maxMessage)
	if err == nil && p.op == ws.OpText && !utf8.Valid(message) {
		err = &closeError{ws.StatusInvalidFramePayloadData, "the text is not valid UTF-8"}
	}
	if err != nil {
		return false, err
	}
	goOn = to.message(p.op, message)
	to.inflated(len(message))
	p.message = p.message[:0]
	return goOn, nil
}

// inflater inflates one message at a time.
type inflater struct {
	flate io.Reader // also a [flate.Resetter]
	from  bytes.Reader
	wire  []byte // the compressed message with inflateTail
	buf   []byte
}

func newInflater() *inflater {
	in := &inflater{buf: make([]byte, 0, inflateBuffer)}
	in.flate = flate.NewReader(&in.from)
	return in
}

// inflate returns a message's bytes, valid until the next call. It uses no more memory than
// the limit and a quarter, whatever the message inflates to.
func (in *inflater) inflate(payload []byte, limit int) ([]byte, *closeError) {
	if len(payload) == 0 {
		return nil, nil // no block at all; zlib accepts it, too
	}
	wire := append(append(in.wire[:0], payload...), inflateTail...)
	if cap(wire) <= maxKeptBuffer {
		in.wire = wire
	}
	in.from.Reset(wire)
	defer in.from.Reset(nil)
	// Without a dictionary it cannot fail.
	_ = in.flate.(flate.Resetter).Reset(&in.from, nil)
	out := in.buf[:0]
	for {
		if len(out) == cap(out) {
			out = growBuffer(out, limit)
		}
		n, err := in.flate.Read(out[len(out):cap(out)])
		out = out[:len(out)+n]
		if cap(out) <= maxKeptBuffer {
			in.buf = out
		}
		switch {
		case len(out) > limit:
			return nil, &closeError{ws.StatusMessageTooBig, fmt.Sprintf("the message is longer than %d bytes", limit)}
		case err == io.EOF && validTail(wire[len(wire)-in.from.Len():]):
			return out, nil
		case err != nil:
			// RFC 7692 names no code. The framing is correct, so 1002 would be wrong; the
			// content is not valid for its type, which is 1007 (RFC 6455, 7.4.1), as for
			// text that is not UTF-8.
			return nil, &closeError{ws.StatusInvalidFramePayloadData, "the compressed message cannot be inflated"}
		}
	}
}

// validTail reports whether a message ended with its last block, given the unread bytes
// after that. A sender may end with a final block of its own, and a zero byte that
// completes the sync block after it (RFC 7692, 7.2.3.4).
func validTail(left []byte) bool {
	switch string(left) {
	case "", inflateTail, "\x00" + inflateTail:
		return true
	}
	return false
}

// growBuffer enlarges a buffer, up to one byte over the limit, which is enough to detect
// that it is exceeded.
func growBuffer(out []byte, limit int) []byte {
	size := 2 * cap(out)
	if size > limit/4 {
		size = limit + 1
	}
	return append(make([]byte, 0, size), out...)
}
