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

// HeaderRoom is the space that [Seal] needs in front of a payload: a server's
// frame header is 2, 4 or 10 bytes long (RFC 6455, 5.2).
const HeaderRoom = 10

// ErrNoHeaderRoom is returned for a buffer that is shorter than [HeaderRoom].
var ErrNoHeaderRoom = errors.New("engine: a buffer for a frame must begin with HeaderRoom (10) bytes for its header")

// Must returns a frame of [Seal], [Begin], [Middle] or [Rest] for callers that have left
// room for the header; it panics if there was an error.
func Must(f Frame, err error) Frame {
	if err != nil {
		panic(err)
	}
	return f
}

// Seal makes a text frame of buf, whose payload is UTF-8 and starts at [HeaderRoom],
// without copying it. The frame shares buf's memory, which must not be changed any more.
// The only error is [ErrNoHeaderRoom]. Like all that make frames it may be called from
// anywhere.
func Seal(buf []byte) (Frame, error) { return sealChecked(ws.OpText, true, buf) }

// sealChecked makes a frame, or a fragment that is not the last of its message.
func sealChecked(op ws.OpCode, fin bool, buf []byte) (Frame, error) {
	if len(buf) < HeaderRoom {
		return nil, ErrNoHeaderRoom
	}
	f := seal(op, buf)
	if !fin {
		f[0] &^= 0x80
	}
	return f, nil
}

// seal writes the header right in front of the payload:
//
//	0       1       2           4               10
//	+-------+-------+-----------+---------------+
//	|1000 op|len<126|           |               |
//	|       |  126  |  16 bits  |               |
//	|       |  127  |        64 bits            |
//	+-------+-------+-----------+---------------+
func seal(op ws.OpCode, buf []byte) Frame {
	n := len(buf) - HeaderRoom
	var start int
	switch {
	case n < 126:
		start = HeaderRoom - 2
		buf[start+1] = byte(n)
	case n <= 0xffff:
		start = HeaderRoom - 4
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

// Begin makes the first part of a text message of buf, as [Seal] does, which goes on
// with the frames of any number of [Middle] and of a [Rest]. Many clients may share the
// later fragments of a message; only the first is each client's own (RFC 6455, 5.4).
func Begin(buf []byte) (Frame, error) { return sealChecked(ws.OpText, false, buf) }

// Middle makes a fragment of a message between its beginning and its rest.
func Middle(buf []byte) (Frame, error) { return sealChecked(ws.OpContinuation, false, buf) }

// Rest makes the last fragment of a message. All parts must be given to a connection in
// one call of [Conn.Follow] or [Conn.Say]: no other message may come in between.
func Rest(buf []byte) (Frame, error) { return sealChecked(ws.OpContinuation, true, buf) }

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
	return seal(op, append(make([]byte, HeaderRoom, HeaderRoom+len(payload)), payload...))
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
