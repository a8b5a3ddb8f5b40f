package engine

import (
	"bytes"
	"sync/atomic"

	"github.com/gobwas/ws"
	"github.com/klauspost/compress/flate"
)

const (
	// minDeflateSize is the shortest payload that is compressed. CLU's replies have 240
	// to 530 bytes, and lose a third. At 256 bytes that is 80, about what the
	// packet's own headers have; below, the packet hardly shrinks.
	minDeflateSize = 256
	// deflateLevel leaves the fewest bytes of replies of 300 to 4,000 bytes among the
	// levels that take a few microseconds for a kilobyte; those above gain less than a
	// hundredth. See BenchmarkDeflateLevels.
	deflateLevel = 5
)

// deflater compresses one payload at a time. It is not the standard library's: that
// clears tables of 640 KiB for each reply.
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

// frame makes the compressed twin of a frame, or gives the frame itself where
// that would gain nothing: a message may always go out as it is (RFC 7692, 6).
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
	twin := newFrame(op, small)
	twin[0] |= rsv1
	return twin
}

// message is the payload of a frame that is a whole message and has no
// extension's bits; nil for any other frame.
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

// deflatedLog is the second half of a [Log] where clients may negotiate compression: a
// log of its own for those who did.
//
// It is a log, and not a second frame beside each first one, so that nothing
// changes for a ring: it holds one frame for each number and joins its runs once
// for all its members. Which frames a connection gets is decided when it opens,
// by the ring that it joins, and never again.
type deflatedLog struct {
	deflated  *Log         // nil without compression, and in a twin
	followers atomic.Int64 // who follows this log
}

// NewLog makes a log without frames or followers. It may be called from anywhere.
func (e *Engine) NewLog() *Log {
	log := e.newLog()
	if e.deflate != nil {
		log.deflated = e.newLog()
	}
	return log
}

// hasFollowers reports whether anybody follows the twin.
func (g *Log) hasFollowers() bool { return g != nil && g.followers.Load() > 0 }

// reserveDeflated adds to those who follow the log's twin, if there is one, somebody who
// may be about to.
func (g *Log) reserveDeflated(n int64) {
	if g != nil && g.deflated != nil {
		g.deflated.followers.Add(n)
	}
}

// forEncoding gives the log that a connection follows in this one's place: the twin, where
// it negotiated compression.
func (g *Log) forEncoding(deflate bool) *Log {
	if deflate && g != nil && g.deflated != nil {
		return g.deflated
	}
	return g
}
