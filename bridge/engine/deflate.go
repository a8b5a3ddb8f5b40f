package engine

import (
	"bytes"

	"github.com/gobwas/ws"
	"github.com/klauspost/compress/flate"
)

const (
	// minDeflateSize is the shortest payload that is compressed. CLU's replies of 240 to
	// 530 bytes shrink by a third. At 256 bytes that saves 80, about the size of the
	// packet's own headers; below that, compression is hardly worth it.
	minDeflateSize = 256
	// deflateLevel compresses replies of 300 to 4,000 bytes best among the levels that take
	// a few microseconds per kilobyte; higher levels gain less than a hundredth. See
	// BenchmarkDeflateLevels.
	deflateLevel = 5
)

// deflater compresses one payload at a time. The standard library's compressor would clear
// tables of 640 KiB for each.
type deflater struct {
	out   bytes.Buffer
	flate *flate.Writer
}

func newDeflater() *deflater {
	d := new(deflater)
	d.flate, _ = flate.NewWriter(&d.out, deflateLevel) // the level is valid
	return d
}

// deflate compresses a payload. The result is valid until the next call.
func (d *deflater) deflate(payload []byte) []byte {
	d.out.Reset()
	d.flate.Reset(&d.out)
	// A buffer takes everything: neither call can fail.
	_, _ = d.flate.Write(payload)
	_ = d.flate.Flush()
	return bytes.TrimSuffix(d.out.Bytes(), []byte(syncTail))
}

// frame returns a compressed copy of a frame, or the frame itself if compression gains
// nothing: a message may always be sent uncompressed (RFC 7692, 6).
func (d *deflate) frame(f Frame) Frame {
	op, payload := f.message()
	if len(payload) < minDeflateSize {
		return f
	}
	def := d.deflaters.Get().(*deflater)
	defer d.deflaters.Put(def)
	small := def.deflate(payload)
	if len(small) >= len(payload) {
		return f
	}
	deflated := newFrame(op, small)
	deflated[0] |= rsv1
	return deflated
}

// message returns the opcode and payload of a frame that is a whole message without
// extension bits; nil for any other frame.
func (f Frame) message() (ws.OpCode, []byte) {
	if len(f) < 2 {
		return 0, nil
	}
	op := ws.OpCode(f[0] & 0xf)
	if f[0]&0xf0 != 0x80 || op != ws.OpText && op != ws.OpBinary {
		return 0, nil
	}
	return op, f[headerSize(f[1]):]
}
