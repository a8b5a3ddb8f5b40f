package engine

import (
	"encoding/binary"
	"errors"
	"strings"

	"github.com/gobwas/ws"
)

// Frame is one whole WebSocket frame, header and payload, as it goes over the
// wire from server to client. It is immutable once it has been handed over.
type Frame []byte

// MaxHeaderSize is the space that [NewText] needs in front of a payload: a server's
// frame header is 2, 4 or 10 bytes long (RFC 6455, 5.2).
const MaxHeaderSize = 10

// ErrShortBuffer is returned for a buffer that is shorter than [MaxHeaderSize].
var ErrShortBuffer = errors.New("engine: a buffer for a frame must begin with MaxHeaderSize (10) bytes for its header")

// Must returns a frame of [NewText], [FirstFragment], [MiddleFragment] or [LastFragment] for callers that have left
// room for the header; it panics if there was an error.
func Must(f Frame, err error) Frame {
	if err != nil {
		panic(err)
	}
	return f
}

// NewText makes a text frame of buf, whose payload is UTF-8 and starts at [MaxHeaderSize],
// without copying it. The frame shares buf's memory, which must not be changed any more.
// The only error is [ErrShortBuffer]. Like all that make frames it may be called from
// anywhere.
func NewText(buf []byte) (Frame, error) { return newFragment(ws.OpText, true, buf) }

// newFragment makes a frame, or a fragment that is not the last of its message.
func newFragment(op ws.OpCode, fin bool, buf []byte) (Frame, error) {
	if len(buf) < MaxHeaderSize {
		return nil, ErrShortBuffer
	}
	f := putHeader(op, buf)
	if !fin {
		f[0] &^= 0x80
	}
	return f, nil
}

// putHeader writes the header right in front of the payload:
//
//	0       1       2           4               10
//	+-------+-------+-----------+---------------+
//	|1000 op|len<126|           |               |
//	|       |  126  |  16 bits  |               |
//	|       |  127  |        64 bits            |
//	+-------+-------+-----------+---------------+
func putHeader(op ws.OpCode, buf []byte) Frame {
	n := len(buf) - MaxHeaderSize
	var start int
	switch {
	case n < 126:
		start = MaxHeaderSize - 2
		buf[start+1] = byte(n)
	case n <= 0xffff:
		start = MaxHeaderSize - 4
		buf[start+1] = 126
		binary.BigEndian.PutUint16(buf[start+2:], uint16(n))
	default:
		start = 0
		buf[1] = 127
		binary.BigEndian.PutUint64(buf[2:], uint64(n))
	}
	buf[start] = 0x80 | byte(op)
	return Frame(buf[start:])
}

// FirstFragment makes the first part of a text message of buf, as [NewText] does, which goes on
// with the frames of any number of [MiddleFragment] and of a [LastFragment]. Many clients may share the
// later fragments of a message; only the first is each client's own (RFC 6455, 5.4).
func FirstFragment(buf []byte) (Frame, error) { return newFragment(ws.OpText, false, buf) }

// MiddleFragment makes a fragment of a message between its beginning and its rest.
func MiddleFragment(buf []byte) (Frame, error) { return newFragment(ws.OpContinuation, false, buf) }

// LastFragment makes the last fragment of a message. All parts must be given to a connection in
// one call of [Conn.Follow] or [Conn.SendInOrder]: no other message may come in between.
func LastFragment(buf []byte) (Frame, error) { return newFragment(ws.OpContinuation, true, buf) }

// Text makes a text frame with a copy of the payload, which is UTF-8.
func Text(payload string) Frame {
	return newFrame(ws.OpText, payload)
}

// isData reports whether it is a text or binary frame, and no control frame
// (RFC 6455, 5.5).
func (f Frame) isData() bool { return len(f) > 0 && f[0]&8 == 0 }

// Payload is that of a frame that is a whole message; nil for any other. It is
// part of the frame.
func (f Frame) Payload() []byte {
	_, payload := f.message()
	return payload
}

// Binary makes a binary frame with a copy of the payload.
func Binary(payload []byte) Frame {
	return newFrame(ws.OpBinary, payload)
}

// newFrame makes a frame with a copy of the payload: of a control frame at most 125
// bytes.
func newFrame[T string | []byte](op ws.OpCode, payload T) Frame {
	return putHeader(op, append(make([]byte, MaxHeaderSize, MaxHeaderSize+len(payload)), payload...))
}

// maxReason is what fits into a close frame beside the code (RFC 6455, 5.5).
const maxReason = 123

// closeFrame makes a close frame. A reason that is too long is cut, and what is no UTF-8
// is left out.
func closeFrame(code ws.StatusCode, reason string) Frame {
	if code.Empty() || code == ws.StatusNoStatusRcvd {
		return newFrame(ws.OpClose, "")
	}
	if !sendable(code) {
		code = ws.StatusInternalServerError
	}
	reason = strings.ToValidUTF8(reason[:min(len(reason), maxReason)], "")
	return newFrame(ws.OpClose, ws.NewCloseFrameBody(code, reason))
}
