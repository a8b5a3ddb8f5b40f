package broker

import (
	"bufio"
	"encoding/binary"
	"io"
)

// Frame kinds and sizes (AMQP 0-9-1, section 4.2.3).
const (
	frameMethod    = 1
	frameHeader    = 2
	frameBody      = 3
	frameHeartbeat = 8

	frameEnd      = 0xCE
	frameHead     = 7 // kind (1), channel (2), payload size (4)
	frameOverhead = frameHead + 1
	frameMinMax   = 4096 // what every peer must accept

	// preTuneFrameMax bounds frames until the client has agreed to more: room for a start-ok with
	// talkative client properties.
	preTuneFrameMax = 8192
)

// frame is one frame as it was read. Its payload is valid until the next frame is read.
type frame struct {
	kind    byte
	channel uint16
	payload []byte
}

// frameReader cuts a byte stream into frames no larger than max.
type frameReader struct {
	r   *bufio.Reader
	max int
	big []byte // for frames larger than r's buffer; never more than max bytes
}

// next reads one frame. The error is an *amqpError if the framing is malformed, or the stream's own.
func (f *frameReader) next() (frame, error) {
	head, err := f.r.Peek(frameHead)
	if err != nil {
		return frame{}, err
	}
	fr := frame{kind: head[0], channel: binary.BigEndian.Uint16(head[1:])}
	size := binary.BigEndian.Uint32(head[3:])
	if size > uint32(f.max-frameOverhead) {
		return frame{}, errorf(frameError, "frame of %d bytes is larger than the negotiated maximum of %d", size, f.max)
	}

	rest := int(size) + 1
	var whole []byte
	if frameHead+rest <= f.r.Size() {
		if whole, err = f.r.Peek(frameHead + rest); err != nil {
			return frame{}, err
		}
		whole = whole[frameHead:]
		_, _ = f.r.Discard(frameHead + rest) // cannot fail: it was just peeked
	} else if whole, err = f.readBig(rest); err != nil {
		return frame{}, err
	}
	if whole[size] != frameEnd {
		return frame{}, errorf(frameError, "frame does not end with 0xCE")
	}
	fr.payload = whole[:size]
	return fr, nil
}

// readBig reads a frame that does not fit into the buffered reader.
func (f *frameReader) readBig(rest int) ([]byte, error) {
	_, _ = f.r.Discard(frameHead)
	if cap(f.big) < rest {
		f.big = make([]byte, rest)
	}
	_, err := io.ReadFull(f.r, f.big[:rest])
	return f.big[:rest], err
}

// beginFrame starts a frame at the end of dst; endFrame, given the returned mark, fills in its size.
func beginFrame(dst []byte, kind byte, channel uint16) (buf []byte, mark int) {
	mark = len(dst)
	return append(dst, kind, byte(channel>>8), byte(channel), 0, 0, 0, 0), mark
}

func endFrame(dst []byte, mark int) []byte {
	binary.BigEndian.PutUint32(dst[mark+3:], uint32(len(dst)-mark-frameHead))
	return append(dst, frameEnd)
}

// beginMethod starts a method frame; its arguments follow, then endFrame.
func beginMethod(dst []byte, channel uint16, id methodID) (buf []byte, mark int) {
	dst, mark = beginFrame(dst, frameMethod, channel)
	return binary.BigEndian.AppendUint32(dst, uint32(id)), mark
}

// appendContent writes a message's header and body frames, the body cut to the receiver's frameMax.
func appendContent(dst []byte, channel uint16, m *message, frameMax int) []byte {
	dst, mark := beginFrame(dst, frameHeader, channel)
	dst = endFrame(append(dst, m.header...), mark)
	for body := m.body; len(body) > 0; {
		n := min(len(body), frameMax-frameOverhead)
		dst, mark = beginFrame(dst, frameBody, channel)
		dst = endFrame(append(dst, body[:n]...), mark)
		body = body[n:]
	}
	return dst
}

// appendShort writes a short string: one octet of length, at most 255 bytes.
func appendShort(dst []byte, s string) []byte {
	s = s[:min(len(s), 255)]
	return append(append(dst, byte(len(s))), s...)
}

// appendLong writes a long string: four octets of length.
func appendLong(dst []byte, s string) []byte {
	return append(binary.BigEndian.AppendUint32(dst, uint32(len(s))), s...)
}

func appendU32(dst []byte, v int) []byte {
	return binary.BigEndian.AppendUint32(dst, uint32(v))
}

func appendU64(dst []byte, v uint64) []byte {
	return binary.BigEndian.AppendUint64(dst, v)
}
