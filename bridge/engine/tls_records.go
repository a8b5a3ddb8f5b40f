package engine

import "encoding/binary"

const (
	recordHeader = 5
	// maxRecord is the longest payload of a record in any version of TLS (RFC 5246, 6.2.3).
	maxRecord = 16384 + 2048
	// maxPlaintext is the most that a record decrypts to.
	maxPlaintext = 16384

	ssl2            = 0x80 // the first byte of SSL 2, not of a TLS record
	recordAlert     = 21
	recordHandshake = 22
)

// records is ciphertext from a socket. It is passed on in whole records only: crypto/tls
// never frees its own buffer, so nothing should wait there.
type records struct {
	data []byte
	left int // bytes left of the record being read
}

// whole returns the length of the first record with its header; 0 while it is incomplete. A
// record that is too long counts as complete, because crypto/tls rejects it by its header.
func (r *records) whole() int {
	if len(r.data) < recordHeader {
		return 0
	}
	if r.data[0] == ssl2 { // its length is elsewhere, and its header is rejected
		return len(r.data)
	}
	n := int(binary.BigEndian.Uint16(r.data[3:]))
	switch {
	case n > maxRecord:
		return len(r.data)
	case len(r.data) < recordHeader+n:
		return 0
	}
	return recordHeader + n
}

// read reads from the first record. It returns 0 if that is incomplete.
func (r *records) read(p []byte) int {
	if r.left == 0 {
		r.left = r.whole()
	}
	n := copy(p, r.data[:r.left])
	r.data = r.data[n:]
	r.left -= n
	return n
}

// ready reports whether there is something to read.
func (r *records) ready() bool { return r.left > 0 || r.whole() > 0 }

const (
	clientHello = 1 // RFC 8446, 4
	// maxHelloSize bounds the ClientHello that a connection may collect without a
	// goroutine. A longer one is collected on the goroutine.
	maxHelloSize = 16 << 10
	// maxHelloRecord is the longest record in which a ClientHello is passed on. With its
	// header it fits the first buffer of crypto/tls, which is kept for the life of the
	// connection.
	maxHelloRecord = 512 - recordHeader
)

// looksLikeTLS reports whether the first bytes of a connection may begin a handshake. SSL 2
// is included: crypto/tls answers it with an alert.
func looksLikeTLS(data []byte) bool {
	return data[0] == recordHandshake || data[0] == recordAlert || data[0] == ssl2
}

// helloEnd returns where the ClientHello at the beginning of data ends. It is 0 while that
// is incomplete, and if data begins with something else; enough reports whether crypto/tls
// can act on the bytes.
func helloEnd(data []byte) (end int, enough bool) {
	var start [4]byte // the message's type and length
	for have := 0; ; {
		switch rest := data[end:]; {
		case len(rest) > 0 && rest[0] != recordHandshake, len(rest) > 1 && rest[1] != 3:
			return 0, true
		case len(rest) < recordHeader:
			return 0, false
		default:
			n := int(binary.BigEndian.Uint16(rest[3:]))
			if n == 0 || n > maxPlaintext || end+n > maxHelloSize {
				return 0, true
			}
			if len(rest) < recordHeader+n {
				return 0, false
			}
			if have < len(start) {
				copy(start[have:], rest[recordHeader:recordHeader+n])
			}
			have += n
			end += recordHeader + n
		}
		if have < len(start) {
			continue
		}
		length := len(start) + int(binary.BigEndian.Uint32(start[:])&0xffffff)
		switch {
		case start[0] != clientHello || have > length:
			return 0, true
		case have == length:
			return end, true
		}
	}
}

// splitHello returns a complete ClientHello in short records, and what follows it. To TLS
// that is the same (RFC 8446, 5.1): a message may be split into records anywhere.
func splitHello(data []byte, end int) []byte {
	out := make([]byte, 0, len(data)+(end/maxHelloRecord+1)*recordHeader)
	for at := 0; at < end; {
		n := int(binary.BigEndian.Uint16(data[at+3:]))
		payload := data[at+recordHeader:][:n]
		for len(payload) > 0 {
			piece := payload[:min(len(payload), maxHelloRecord)]
			payload = payload[len(piece):]
			out = append(out, data[at], data[at+1], data[at+2], byte(len(piece)>>8), byte(len(piece)))
			out = append(out, piece...)
		}
		at += recordHeader + n
	}
	return append(out, data[end:]...)
}
