package amqpx

import "encoding/binary"

// sanitize repairs a complete frame in place. If that is impossible, it returns the frame that replaces
// it.
func (ic *interceptor) sanitize(frame []byte) (replaced []byte) {
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
		// The flags and the properties before and after the table stay.
		return rewriteHeader(frame[:frameHead], payload[:at], table, payload[at+4+len(table):], problem)
	}
	return nil
}

// The properties of a content, in the order of their flags from the highest bit on. The two lowest bits
// are not properties.
const (
	contentHead  = 14 // class, weight, size of the body, flags
	flagHeaders  = 1 << 13
	flagContinue = 1
	shortStrings = 1<<15 | 1<<14 | 1<<10 | 1<<9 | 1<<8 | 1<<7 | 1<<5 | 1<<4 | 1<<3 | 1<<2
	octets       = 1<<12 | 1<<11
	timestamps   = 1 << 6
)

// findHeaders returns the table of headers and the offset of its length; the table is nil if there is
// none. ok is false if the properties are malformed.
func findHeaders(payload []byte) (at int, table []byte, ok bool) {
	flags := binary.BigEndian.Uint16(payload[contentHead-2:])
	if flags&flagContinue != 0 {
		return 0, nil, false // more properties than AMQP has
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

// cutLong cuts a long string off the front. A table is one, too.
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

// The bounds of the library.
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

// sanitizeFields repairs in place the fields of a table, which are named, or of an array. If the
// library still cannot read them, it returns why.
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

// nextField returns the offset of the first field's type, and the size of the field.
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

// poisonHeader replaces headers that cannot be read, and says why. It never leaves the
// process.
const poisonHeader = "clu-ws.unreadable"

// rewriteHeader returns a new frame of a content header, with the properties before and after the
// table of headers. From the table, only the position in a stream is kept.
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
