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

// sanitize mends a whole frame in place. If that cannot be, it gives the frame that takes
// its place.
func (ic *interceptor) sanitize(frame []byte) (anew []byte) {
	payload := frame[frameHead : len(frame)-1]
	if frame[0] == methodFrame {
		ic.readNegotiation(payload)
		return nil
	}
	if len(payload) < contentHead {
		return nil
	}
	at, table, ok := findHeaders(payload)
	if !ok {
		return rewriteHeader(frame[:frameHead], payload[:contentHead-2], nil, nil, malformed)
	}
	problem := sanitizeFields(table, true, 0)
	if ic.limit > 0 && uint64(len(frame)) > uint64(ic.limit) {
		problem = longerThanFrame
	}
	if problem != "" {
		// The flags and the properties on both sides stay.
		return rewriteHeader(frame[:frameHead], payload[:at], table, payload[at+4+len(table):], problem)
	}
	return nil
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

// The properties of a content, in the order of their flags from the highest bit on. The
// two lowest are no properties.
const (
	contentHead  = 14 // class, weight, size of the body, flags
	flagHeaders  = 1 << 13
	flagContinue = 1
	shortStrings = 1<<15 | 1<<14 | 1<<10 | 1<<9 | 1<<8 | 1<<7 | 1<<5 | 1<<4 | 1<<3 | 1<<2
	octets       = 1<<12 | 1<<11
	timestamps   = 1 << 6
)

// findHeaders finds the table of headers, and where its length is. It is nil if there
// is none. ok is false if the properties are malformed.
func findHeaders(payload []byte) (at int, table []byte, ok bool) {
	flags := binary.BigEndian.Uint16(payload[contentHead-2:])
	if flags&flagContinue != 0 {
		return 0, nil, false // there are no more properties than fit
	}
	rest := payload[contentHead:]
	for flag := uint16(1 << 15); flag > 1; flag >>= 1 {
		size := 0
		switch flags & flag {
		case 0:
			continue
		case flagHeaders:
			at = len(payload) - len(rest)
			if table, rest, ok = cutLong(rest); !ok {
				return 0, nil, false
			}
			continue
		default:
			switch {
			case flag&shortStrings != 0 && len(rest) > 0:
				size = 1 + int(rest[0])
			case flag&octets != 0:
				size = 1
			case flag&timestamps != 0:
				size = 8
			case flag&shortStrings != 0:
				return 0, nil, false
			}
		}
		if len(rest) < size {
			return 0, nil, false
		}
		rest = rest[size:]
	}
	return at, table, true
}

// cutLong cuts a long string, which is what a table is, off the front.
func cutLong(b []byte) (long, rest []byte, ok bool) {
	if len(b) < 4 {
		return nil, nil, false
	}
	size := binary.BigEndian.Uint32(b)
	if uint64(size) > uint64(len(b)-4) {
		return nil, nil, false
	}
	return b[4 : 4+size], b[4+size:], true
}

// Bounds of the library.
const (
	maxFieldDepth   = 32
	maxFieldEntries = 8192
)

// Why headers cannot be read.
const (
	malformed       = "its headers are malformed"
	tooDeep         = "its headers are nested more than 32 deep"
	tooManyFields   = "it has more than 8192 headers"
	longerThanFrame = "its headers are longer than a frame"
)

// sanitizeFields mends the fields of a table, which have names, or of an array in place. It
// gives the reason for which the library cannot read them, or "".
func sanitizeFields(b []byte, named bool, depth int) (problem string) {
	if depth > maxFieldDepth {
		return tooDeep
	}
	for entries := 0; len(b) > 0; entries++ {
		if entries == maxFieldEntries {
			return tooManyFields
		}
		kind, size, ok := nextField(b, named)
		if !ok {
			return malformed
		}
		switch b[kind] {
		case 'L':
			b[kind] = 'l'
		case 'U':
			b[kind] = 's'
		case 'F', 'A':
			if problem := sanitizeFields(b[kind+5:size], b[kind] == 'F', depth+1); problem != "" {
				return problem
			}
		}
		b = b[size:]
	}
	return ""
}

// nextField finds the type of the first field, and the size of the whole.
func nextField(b []byte, named bool) (kind, size int, ok bool) {
	if named {
		kind = 1 + int(b[0])
	}
	if kind >= len(b) {
		return 0, 0, false
	}
	value := b[kind+1:]
	switch b[kind] {
	case 'V':
	case 't', 'b', 'B':
		size = 1
	case 's', 'u', 'U':
		size = 2
	case 'I', 'i', 'f':
		size = 4
	case 'D':
		size = 5
	case 'l', 'L', 'd', 'T':
		size = 8
	case 'S', 'x', 'F', 'A':
		long, _, ok := cutLong(value)
		if !ok {
			return 0, 0, false
		}
		size = 4 + len(long)
	default:
		return 0, 0, false
	}
	return kind, kind + 1 + size, size <= len(value)
}

// poisonHeader takes the place of headers that cannot be read, and says why.
const poisonHeader = "clu-ws.unreadable"

// rewriteHeader writes the frame of a content header anew: with what was before the
// table of headers, and behind it. Of the table only the place in a stream is kept.
func rewriteHeader(head, before, table, behind []byte, problem string) []byte {
	frame := append([]byte(nil), head...)
	frame = append(frame, before...)
	if len(before) < contentHead { // the flags are missing
		frame = binary.BigEndian.AppendUint16(frame, flagHeaders)
	}
	at := len(frame)
	frame = append(frame, 0, 0, 0, 0)
	frame = append(frame, byte(len(poisonHeader)))
	frame = append(frame, poisonHeader...)
	frame = append(frame, 'S')
	frame = binary.BigEndian.AppendUint32(frame, uint32(len(problem)))
	frame = append(frame, problem...)
	for b := table; len(b) > 0; {
		kind, size, ok := nextField(b, true)
		if !ok {
			break
		}
		if string(b[1:kind]) == offsetHeader && (b[kind] == 'l' || b[kind] == 'L') {
			frame = append(frame, b[:kind]...)
			frame = append(frame, 'l')
			frame = append(frame, b[kind+1:size]...)
		}
		b = b[size:]
	}
	binary.BigEndian.PutUint32(frame[at:], uint32(len(frame)-at-4))
	frame = append(frame, behind...)
	binary.BigEndian.PutUint32(frame[3:], uint32(len(frame)-frameHead))
	return append(frame, frameEnd)
}

const frameEnd = 0xce
