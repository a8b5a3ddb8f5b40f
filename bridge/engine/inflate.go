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
	// inflateTail stands behind a message: the end that its sender left out, and
	// an empty last block, by which a reader knows the message's end from a cut.
	inflateTail = syncTail + "\x01\x00\x00\xff\xff"
	// inflateBuffer is what an inflater starts with, more than a command has.
	inflateBuffer = 4 << 10
	// maxKeptBuffer is the largest buffer that an inflater keeps.
	maxKeptBuffer = 64 << 10
)

// wireLimit is the longest compressed message in bytes. What cannot be
// compressed grows: a client that may send a message plain must be able to send
// it compressed, whatever blocks its encoder cuts.
func (d *deflate) wireLimit() int { return d.maxMessage + d.maxMessage/16 + 64 }

// deflatedLimit takes the mark of compression off a frame's header, and gives
// the bound of its message on the wire. The mark belongs on a message's first
// frame; elsewhere it stays, and is the protocol error that it is without the
// extension (RFC 7692, 6.1).
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

// inflated delivers a compressed message, which is complete. One that does not
// matter any more is not worth its inflation: it is past the limit on rate.
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
	flate io.Reader // and a [flate.Resetter]
	from  bytes.Reader
	wire  []byte // the message as it came, and its tail
	buf   []byte
}

func newInflater() *inflater {
	in := &inflater{buf: make([]byte, 0, inflateBuffer)}
	in.flate = flate.NewReader(&in.from)
	return in
}

// inflate gives a message's bytes, valid until the next call. However many the
// payload stands for, no more than the limit and a quarter is held for them.
func (in *inflater) inflate(payload []byte, limit int) ([]byte, *closeError) {
	if len(payload) == 0 {
		return nil, nil // no block at all; zlib makes nothing of it too
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
			// RFC 7692 names no code. The frames are in order, so that 1002 would
			// be wrong; their content is not of its kind, which is 1007 (RFC 6455,
			// 7.4.1), as for text that is not UTF-8.
			return nil, &closeError{ws.StatusInvalidFramePayloadData, "the compressed message cannot be inflated"}
		}
	}
}

// validTail reports whether a message ended where its last block did, by what is left
// behind that. A sender may end with a last block of its own, and the zero byte that makes
// the sync block behind it whole (RFC 7692, 7.2.3.4).
func validTail(left []byte) bool {
	switch string(left) {
	case "", inflateTail, "\x00" + inflateTail:
		return true
	}
	return false
}

// growBuffer makes room for more, up to one byte over the limit, which is enough to
// see that it is passed.
func growBuffer(out []byte, limit int) []byte {
	size := 2 * cap(out)
	if size > limit/4 {
		size = limit + 1
	}
	return append(make([]byte, 0, size), out...)
}
