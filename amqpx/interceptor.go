package amqpx

import (
	"bytes"
	"encoding/binary"
	"net"
	"sync/atomic"
	"time"
)

// interceptor is the connection from which the library reads. It takes out the deliveries to the link's
// own consumers (deliveries.go) and the confirms of its publishes (publisher.go), and repairs headers
// over which the library would close the connection, although brokers relay them:
//
//   - field types that the library does not know: L, a long like l, which kombu sends for integers
//     of 2^31 and more, and U, a short like s;
//   - headers that the library refuses (nested more than 32 deep, more than 8192 of them, or longer
//     than a frame may be with those that the broker adds), and malformed ones: they are replaced by one
//     header that says so, and the link drops that message alone.
//
// Everything else passes unchanged.
type interceptor struct {
	net.Conn
	buf []byte
	// buf[r:ready] may be handed over; buf[ready:w] is the beginning of a frame.
	r, ready, w int
	skip        int          // how many of the next bytes pass unread
	rewritten   []byte       // the rest of a frame that was rewritten; goes before buf[r:]
	raw         bool         // what arrives is not AMQP, which the library reports
	limit       uint32       // the longest frame, including its header and its end; 0 is any
	active      *atomic.Bool // set by every frame but a heartbeat
	err         error        // how the connection ended

	confirms atomic.Pointer[confirms] // of the link's publishes; nil without any

	inboxes       atomic.Pointer[[]*inbox] // of the link's consumers
	bodyInbox     *inbox                   // gets the next bytes, which are a body
	bodyLeft      int                      // how many they are, including the end of the frame
	intercepted   bool                     // something was taken out since the network was last read
	idleTimeout   atomic.Int64             // how long the broker may be silent, in nanoseconds; 0 is for ever
	deadlineMoved time.Time                // when the interceptor last moved the deadline
}

func newInterceptor(conn net.Conn, spoke *atomic.Bool) *interceptor {
	return &interceptor{Conn: conn, buf: make([]byte, readAhead), active: spoke}
}

// Read returns what is ready, and waits for the network only when nothing is.
func (ic *interceptor) Read(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	for {
		switch {
		case len(ic.rewritten) > 0:
			n := copy(p, ic.rewritten)
			if ic.rewritten = ic.rewritten[n:]; len(ic.rewritten) == 0 {
				ic.rewritten = nil
			}
			return n, nil
		case ic.r < ic.ready:
			n := copy(p, ic.buf[ic.r:ic.ready])
			ic.r += n
			return n, nil
		case ic.scan():
		case ic.err != nil:
			return 0, ic.err
		default:
			ic.fill()
		}
	}
}

// fill reads more from the network. Everything that was ready has been handed over.
func (ic *interceptor) fill() {
	if ic.ready > 0 {
		ic.w = copy(ic.buf, ic.buf[ic.ready:ic.w])
		ic.r, ic.ready = 0, 0
	}
	if ic.w == len(ic.buf) {
		ic.buf = append(ic.buf, make([]byte, len(ic.buf))...)
	}
	if ic.intercepted {
		ic.extendDeadline()
	}
	n, err := ic.Conn.Read(ic.buf[ic.w:])
	ic.w += n
	if n == 0 && err != nil {
		ic.err = err
		ic.raw = true // half a frame is handed over unchanged
	}
}

// A frame is a kind, a channel and the size of the payload, then the payload and one octet.
const (
	frameHead   = 7
	frameAround = frameHead + 1

	methodFrame    = 1
	headerFrame    = 2
	bodyFrame      = 3
	heartbeatFrame = 8
)

// minFrameMax is the smallest limit that a broker may set.
const minFrameMax = 4096

// maxHeaderFrame bounds what is buffered. No broker allows frames that long.
const maxHeaderFrame = 32 << 20

// scan makes the next frames ready and reports whether there are any.
func (ic *interceptor) scan() bool {
	for ic.ready < ic.w && ic.rewritten == nil {
		frame := ic.buf[ic.ready:ic.w]
		switch {
		case ic.raw:
			ic.ready = ic.w
			continue
		case ic.skip > 0:
			n := min(ic.skip, len(frame))
			ic.ready += n
			ic.skip -= n
			continue
		case ic.bodyLeft > 0 && ic.r < ic.ready:
			return true // what was before it goes first
		case ic.bodyLeft > 0:
			if ic.takeBody(frame); ic.err != nil {
				return false
			}
			continue
		case len(frame) < frameHead:
			return ic.r < ic.ready
		}
		if frame[0] != heartbeatFrame && !ic.active.Load() {
			ic.active.Store(true)
		}
		kind, channel, size := frame[0], binary.BigEndian.Uint16(frame[1:]), binary.BigEndian.Uint32(frame[3:])
		if channel != 0 && (ic.inboxes.Load() != nil || ic.confirms.Load() != nil) {
			if ic.r < ic.ready {
				return true
			}
			taken, more := ic.intercept(frame, kind, channel, size)
			if more || ic.err != nil {
				return false
			}
			if taken {
				continue
			}
		}
		switch {
		case kind == headerFrame && size <= maxHeaderFrame, kind == methodFrame && channel == 0 && size <= maxHeaderFrame:
			whole := int(size) + frameAround
			if len(frame) < whole {
				return ic.r < ic.ready
			}
			if replaced := ic.sanitize(frame[:whole]); replaced == nil {
				ic.ready += whole
			} else if ic.r < ic.ready {
				return true // what was before it goes first
			} else {
				ic.ready += whole
				ic.r, ic.rewritten = ic.ready, replaced
			}
		case kind == methodFrame, kind == bodyFrame, kind == heartbeatFrame:
			ic.skip = int(min(size, 1<<30)) + frameAround
		default:
			ic.raw = true
		}
	}
	return ic.r < ic.ready || ic.rewritten != nil
}

// readNegotiation reads the two methods with which a connection begins: start has the only table that a
// broker sends in a method, and tune limits the length of frames.
func (ic *interceptor) readNegotiation(payload []byte) {
	const (
		start, versions = "\x00\x0a\x00\x0a", 2
		tune, channels  = "\x00\x0a\x00\x1e", 2
	)
	if fields, ok := bytes.CutPrefix(payload, []byte(start)); ok && len(fields) >= versions {
		if table, _, ok := cutLong(fields[versions:]); ok {
			sanitizeFields(table, true, 0)
		}
	}
	if fields, ok := bytes.CutPrefix(payload, []byte(tune)); ok && len(fields) >= channels+4 {
		if ic.limit = binary.BigEndian.Uint32(fields[channels:]); ic.limit > 0 {
			ic.limit = max(ic.limit, minFrameMax)
		}
	}
}
