package amqpx

import (
	"bytes"
	"encoding/binary"
	"net"
	"sync/atomic"
	"time"
)

// A interceptor is a connection from which the library reads. It mends what the library would
// close the connection over, for everybody, although brokers relay it:
//
//   - field types that the library does not know: L, a long like l, which kombu sends
//     for integers of 2^31 and more, and U, a short like s;
//   - a message whose headers the library refuses (nested more than 32 deep, more than
//     8192 of them, or longer than a frame may be with those that the broker adds) or
//     that are malformed: they are replaced by one header that says so, and the link
//     drops that message alone.
//
// Deliveries to the link's own consumers do not reach the library (deliveries.go), nor do
// the confirms of its publishes (confirms.go). Everything else passes as it is.
type interceptor struct {
	net.Conn
	buf []byte
	// buf[r:ready] may be handed over; buf[ready:w] is the beginning of a frame.
	r, ready, w int
	skip        int          // so much of what comes next passes unread
	rewritten   []byte       // the rest of a frame that was written anew; goes before buf[r:]
	raw         bool         // what comes is not AMQP: the library says so
	limit       uint32       // how long a frame may be, with what is around its payload; 0 is any
	active      *atomic.Bool // set by every frame that is no heartbeat
	err         error        // how the connection ended

	confirms atomic.Pointer[confirms] // of the link's publishes, which are taken out

	inboxes       atomic.Pointer[[]*inbox] // of the consumers whose deliveries are taken out
	bodyInbox     *inbox                   // whose body the next bytes are
	bodyLeft      int                      // so many of them, with the frame's last octet
	intercepted   bool                     // something was taken out since the network was read
	idleTimeout   atomic.Int64             // how long the broker may be silent, in nanoseconds; 0 is not bounded
	deadlineMoved time.Time                // when the mender moved the deadline
}

func newInterceptor(conn net.Conn, spoke *atomic.Bool) *interceptor {
	return &interceptor{Conn: conn, buf: make([]byte, readAhead), active: spoke}
}

// Read gives as much as is ready, and waits for the network only when nothing is.
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

// fill reads more from the network. All that is ready has been handed over.
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
		ic.raw = true // half a frame is handed over as it is
	}
}

// Of a frame: its kind, its channel and the size of its payload; behind the payload
// comes one octet.
const (
	frameHead   = 7
	frameAround = frameHead + 1

	methodFrame    = 1
	headerFrame    = 2
	bodyFrame      = 3
	heartbeatFrame = 8
)

// minFrameMax is the least that a broker may allow.
const minFrameMax = 4096

// maxHeaderFrame bounds what is buffered. No broker lets frames be that long.
const maxHeaderFrame = 32 << 20

// scan makes the next frames ready and reports whether anything is.
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
			if anew := ic.sanitize(frame[:whole]); anew == nil {
				ic.ready += whole
			} else if ic.r < ic.ready {
				return true // what was before it goes first
			} else {
				ic.ready += whole
				ic.r, ic.rewritten = ic.ready, anew
			}
		case kind == methodFrame, kind == bodyFrame, kind == heartbeatFrame:
			ic.skip = int(min(size, 1<<30)) + frameAround
		default:
			ic.raw = true
		}
	}
	return ic.r < ic.ready || ic.rewritten != nil
}

// readNegotiation reads the two methods with which a connection begins: start has the one table that
// a broker sends in a method, and tune says how long frames may be.
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
