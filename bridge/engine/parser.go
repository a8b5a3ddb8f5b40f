package engine

import (
	"encoding/binary"
	"fmt"
	"unicode/utf8"

	"github.com/gobwas/ws"
)

// sink receives the messages that a parser finds. Payloads are valid only during the call.
// The methods return false to stop parsing, because the connection is gone or closing.
type sink interface {
	message(op ws.OpCode, payload []byte) bool
	control(op ws.OpCode, payload []byte) bool
	// wantsMessages reports whether messages still matter, which they do not on a
	// connection that is closing.
	wantsMessages() bool
	// exhausted reports whether the client's quantum is used up: the rest is left for the
	// next turn.
	exhausted() bool
	// fragmentBatch is called at every sixteenth fragment of a message: that many small
	// frames are as much work as a message.
	fragmentBatch() bool
	// inflated is called with the length of the last message if it was compressed.
	inflated(n int)
}

// closeError is a violation of the protocol that closes the connection with a close code.
type closeError struct {
	code   ws.StatusCode
	reason string
}

func (e *closeError) Error() string { return fmt.Sprintf("%d %s", e.code, e.reason) }

// parser parses a client's bytes into messages, however they are split (RFC 6455, 5). It
// holds memory only in the middle of a frame or a message; idle reports when it can be
// returned.
type parser struct {
	// The frame header while it is incomplete.
	raw  [ws.MaxHeaderSize]byte
	have int

	// The frame whose payload is being read.
	inFrame bool
	header  ws.Header
	read    int64 // bytes of the payload so far

	// The data message that is being assembled.
	fragmented bool // its first fragment was seen, its last one not
	op         ws.OpCode
	message    []byte
	checked    int // bytes of message known to be UTF-8
	fragments  int // fragments so far

	rest    remainder // input not parsed yet
	counted int       // bytes of message and rest counted by the engine

	// Compression; nil if it was not negotiated.
	deflate  *deflate
	deflated bool // the message is compressed

	controlBuf [ws.MaxControlFramePayloadSize]byte
}

// idle reports whether the parser is between two messages and holds nothing.
func (p *parser) idle() bool {
	return p.have == 0 && !p.inFrame && !p.fragmented && !p.rest.pending()
}

// feed parses data, which it unmasks in place, and passes what is complete to the sink.
// maxMessage bounds a message in bytes, over all its fragments. When the client's quantum
// is used up, the rest of the data is returned, to be fed again.
func (p *parser) feed(data []byte, maxMessage int, to sink) (rest []byte, _ *closeError) {
	for len(data) > 0 && !to.exhausted() {
		if !p.inFrame {
			n, err := p.readHeader(data, maxMessage)
			if err != nil {
				return nil, err
			}
			data = data[n:]
			if !p.inFrame {
				return nil, nil // the header continues in the next bytes
			}
		}
		n := min(p.header.Length-p.read, int64(len(data)))
		payload := data[:n]
		data = data[n:]
		ws.Cipher(payload, p.header.Mask, int(p.read))
		p.read += n
		goOn, err := p.addPayload(payload, to)
		if err != nil {
			return nil, err
		}
		if !goOn || p.inFrame {
			return nil, nil
		}
	}
	return data, nil
}

// readHeader reads a frame header from the bytes kept and from data, and returns how many
// bytes of data it took. inFrame is set once the header is complete.
func (p *parser) readHeader(data []byte, maxMessage int) (int, *closeError) {
	took := 0
	fill := func(need int) bool {
		if p.have < need {
			n := copy(p.raw[p.have:need], data[took:])
			p.have += n
			took += n
		}
		return p.have >= need
	}
	// The second byte determines the length of the header.
	if !fill(2) || !fill(headerSize(p.raw[1])) {
		return took, nil
	}
	p.have = 0
	if err := p.beginFrame(maxMessage); err != nil {
		return took, err
	}
	return took, nil
}

// headerSize returns the length of a frame header, given its second byte:
//
//	|m|7 bits of length| 126: + 2 bytes, 127: + 8 bytes; m: + 4 bytes of mask
func headerSize(second byte) int {
	size := 2
	switch second & 0x7f {
	case 126:
		size += 2
	case 127:
		size += 8
	}
	if second&0x80 != 0 {
		size += 4
	}
	return size
}

// decodeHeader decodes a complete header. A length with its highest bit set is negative.
func decodeHeader(raw []byte) ws.Header {
	h := ws.Header{
		Fin:    raw[0]&0x80 != 0,
		Rsv:    raw[0] >> 4 & 0x7,
		OpCode: ws.OpCode(raw[0] & 0xf),
		Masked: raw[1]&0x80 != 0,
	}
	at := 2
	switch n := raw[1] & 0x7f; n {
	case 126:
		h.Length = int64(binary.BigEndian.Uint16(raw[2:]))
		at = 4
	case 127:
		h.Length = int64(binary.BigEndian.Uint64(raw[2:]))
		at = 10
	default:
		h.Length = int64(n)
	}
	if h.Masked {
		copy(h.Mask[:], raw[at:])
	}
	return h
}

// beginFrame decodes the complete header and validates it before any of the payload is
// taken.
func (p *parser) beginFrame(maxMessage int) *closeError {
	h := decodeHeader(p.raw[:])
	if h.Length < 0 {
		return &closeError{ws.StatusProtocolError, "the frame's length has its highest bit set"}
	}
	if err := p.checkHeader(h, maxMessage); err != nil {
		return err
	}
	p.header, p.inFrame, p.read = h, true, 0
	if h.OpCode.IsData() && h.OpCode != ws.OpContinuation {
		p.op, p.checked, p.message = h.OpCode, 0, p.message[:0]
	}
	return nil
}

func (p *parser) checkHeader(h ws.Header, maxMessage int) *closeError {
	state := ws.StateServerSide
	if p.fragmented {
		state = state.Set(ws.StateFragmented)
	}
	limit := p.deflatedLimit(&h, maxMessage)
	if err := ws.CheckHeader(h, state); err != nil {
		return &closeError{ws.StatusProtocolError, err.Error()}
	}
	if !h.OpCode.IsControl() {
		room := int64(limit)
		if p.fragmented {
			room -= int64(len(p.message))
		}
		if h.Length > room { // avoids an overflowing sum
			return &closeError{ws.StatusMessageTooBig, fmt.Sprintf("the message is longer than %d bytes", maxMessage)}
		}
	}
	return nil
}

// addPayload adds unmasked payload to the frame, and delivers the message if that completes
// it. A message in one piece is delivered where it lies.
func (p *parser) addPayload(payload []byte, to sink) (goOn bool, _ *closeError) {
	ended := p.read == p.header.Length
	if p.header.OpCode.IsControl() {
		copy(p.controlBuf[p.read-int64(len(payload)):], payload)
		if !ended {
			return true, nil
		}
		p.inFrame = false
		return to.control(p.header.OpCode, p.controlBuf[:p.read]), nil
	}
	whole := ended && p.header.Fin && len(p.message) == 0
	if !whole {
		p.message = append(p.message, payload...)
		payload = p.message
	}
	last := ended && p.header.Fin
	if p.op == ws.OpText && !p.deflated {
		var ok bool
		if p.checked, ok = checkUTF8(payload, p.checked, last); !ok {
			return false, &closeError{ws.StatusInvalidFramePayloadData, "the text is not valid UTF-8"}
		}
	}
	if ended {
		p.inFrame = false
		p.fragmented = !p.header.Fin
	}
	if !last {
		return !ended || p.nextFragment(to), nil
	}
	p.fragments = 0
	if p.deflated {
		return p.inflated(payload, to)
	}
	goOn = to.message(p.op, payload)
	p.message, p.checked = p.message[:0], 0
	return goOn, nil
}

// nextFragment counts a fragment that is not the last of its message.
func (p *parser) nextFragment(to sink) bool {
	p.fragments++
	return p.fragments%fragmentsPerMessage != 0 || to.fragmentBatch()
}

// checkUTF8 checks text from a byte on, and returns up to where it is valid. A rune that is
// cut off at the end is valid unless the text ends there. Bytes that no continuation can
// make valid fail at once (RFC 6455, 8.1).
func checkUTF8(text []byte, from int, last bool) (int, bool) {
	rest := text[from:]
	if utf8.Valid(rest) {
		return len(text), true
	}
	for len(rest) > 0 {
		r, size := utf8.DecodeRune(rest)
		if r == utf8.RuneError && size == 1 {
			// FullRune is true for bytes that cannot become a rune.
			return len(text) - len(rest), !last && !utf8.FullRune(rest)
		}
		rest = rest[size:]
	}
	return len(text), true
}
