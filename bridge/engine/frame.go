package engine

import (
	"encoding/binary"
	"errors"

	"github.com/gobwas/ws"
)

// Frame is one complete WebSocket frame, header and payload, as a server sends it. It must
// not be changed once it has been passed on.
type Frame []byte

// MaxHeaderSize is the space that [NewText] needs in front of a payload: a server's frame
// header has 2, 4 or 10 bytes (RFC 6455, 5.2).
const MaxHeaderSize = 10

// ErrShortBuffer is returned for a buffer shorter than [MaxHeaderSize].
var ErrShortBuffer = errors.New("engine: a buffer for a frame must begin with MaxHeaderSize (10) bytes for its header")

// Must returns the frame of [NewText], [FirstFragment], [MiddleFragment] or [LastFragment]
// for callers that have reserved [MaxHeaderSize]; it panics on an error.
func Must(f Frame, err error) Frame {
	if err != nil {
		panic(err)
	}
	return f
}

// NewText returns buf as a text frame, without copying it. The payload is UTF-8 and starts
// at [MaxHeaderSize]. The frame shares buf's memory, which must not be changed afterwards.
// The only error is [ErrShortBuffer]. Like all functions that return frames, it may be
// called from anywhere.
func NewText(buf []byte) (Frame, error) { return newFragment(ws.OpText, true, buf) }

// newFragment returns a frame; fin is false for a fragment that is not the last of its
// message.
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

// putHeader writes the header directly in front of the payload:
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

// FirstFragment is [NewText] for the first fragment of a text message. Any number of frames
// of [MiddleFragment] and one of [LastFragment] follow. Many clients may share the later
// fragments, and only the first is each client's own (RFC 6455, 5.4).
func FirstFragment(buf []byte) (Frame, error) { return newFragment(ws.OpText, false, buf) }

// MiddleFragment returns a fragment between the first and the last of a message.
func MiddleFragment(buf []byte) (Frame, error) { return newFragment(ws.OpContinuation, false, buf) }

// LastFragment returns the last fragment of a message. All fragments must be given to a
// connection in one call of [Conn.Follow] or [Conn.SendInOrder]: no other message may come
// in between.
func LastFragment(buf []byte) (Frame, error) { return newFragment(ws.OpContinuation, true, buf) }

// Text returns a text frame with a copy of the payload, which is UTF-8.
func Text(payload string) Frame {
	return newFrame(ws.OpText, payload)
}

// isData reports whether it is a data frame rather than a control frame (RFC 6455, 5.5).
func (f Frame) isData() bool { return len(f) > 0 && f[0]&8 == 0 }

// Payload returns the payload of a frame that is a whole message, without copying it; nil
// for any other frame.
func (f Frame) Payload() []byte {
	_, payload := f.message()
	return payload
}

// Binary returns a binary frame with a copy of the payload.
func Binary(payload []byte) Frame {
	return newFrame(ws.OpBinary, payload)
}

// newFrame returns a frame with a copy of the payload, which in a control frame has at most
// 125 bytes.
func newFrame[T string | []byte](op ws.OpCode, payload T) Frame {
	return putHeader(op, append(make([]byte, MaxHeaderSize, MaxHeaderSize+len(payload)), payload...))
}
