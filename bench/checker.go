package bench

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"sync/atomic"

	"github.com/gobwas/ws"
)

// maxFrame is the longest frame that a client accepts, in bytes.
const maxFrame = 16 << 20

// faultCounts counts what must not happen.
type faultCounts struct {
	Lost       int `json:"lost"`         // numbers that were skipped and never arrived
	Duplicated int `json:"duplicated"`   // numbers that arrived again
	OutOfOrder int `json:"out_of_order"` // numbers that arrived after a higher one
	Misrouted  int `json:"misrouted"`    // numbers that were for other clients
}

func (f faultCounts) String() string {
	text := fmt.Sprintf("%d lost, %d duplicated, %d out of order", f.Lost, f.Duplicated, f.OutOfOrder)
	if f.Misrouted > 0 {
		text += fmt.Sprintf(", %d for others", f.Misrouted)
	}
	return text
}

// subset is the set of numbers that a client gets. The zero value is every number.
type subset struct {
	modulus, remainder uint64 // numbers with this remainder; modulus 0 is every number
	none               bool   // no number
}

// countBelow returns how many numbers of the subset are lower than the number, which is the index of the number if the
// subset contains it.
func (sh subset) countBelow(number uint64) uint64 {
	switch {
	case sh.none:
		return 0
	case sh.modulus == 0:
		return number
	}
	return (number + sh.modulus - 1 - sh.remainder) / sh.modulus
}

// contains reports whether the number is in the subset.
func (sh subset) contains(number uint64) bool {
	return !sh.none && (sh.modulus == 0 || number%sh.modulus == sh.remainder)
}

// stream is the state of one client. Its numbers are indices in its subset, so numbers for other clients leave no gaps.
type stream struct {
	subset subset
	next   uint64 // the expected number; 0 accepts any
	gaps   []span // numbers below next that did not arrive
	carry  []byte // the start of a frame that the last read split
	tail   []byte // the start of a number that the last frame split; for scan only
}

// span is the numbers from from to to, excluding to.
type span struct{ from, to uint64 }

// checker splits clients' bytes into frames and checks the numbers in them. One serves all the clients of a set in turn.
type checker struct {
	control func(op ws.OpCode, payload []byte) // handles pings, pongs and close frames
	data    func(payload []byte)               // handles all other frames, in place of the search for one number

	at         int    // offset of the number in the last reply
	minNumber  uint64 // lower numbers are ignored
	faults     faultCounts
	replies    int // frames with a number
	unnumbered int // frames without
	bytes      int

	// With sent, the time from sending to now is recorded for each reply.
	sent    []atomic.Int64 // when the reply of number first+i was sent
	first   uint64
	now     int64
	latency []int64

	lastArrival []int64 // when the last client got each reply from first on; nil is not recorded
}

// feed handles the next bytes of a client, which may be split anywhere.
func (k *checker) feed(s *stream, data []byte) error {
	k.bytes += len(data)
	if len(s.carry) > 0 {
		rest, err := k.complete(s, data)
		if err != nil || rest == nil {
			return err
		}
		data = rest
	}
	for len(data) > 0 {
		header, length, err := frameSize(data)
		if err != nil {
			return err
		}
		if header == 0 || len(data) < header+length {
			s.carry = append(s.carry[:0], data...)
			return nil
		}
		k.frame(s, data[0], data[header:header+length])
		data = data[header+length:]
	}
	return nil
}

// complete adds bytes to a frame that was split, and handles it once it is whole. It returns the bytes after it, or nil
// while it is incomplete.
func (k *checker) complete(s *stream, data []byte) ([]byte, error) {
	for {
		header, length, err := frameSize(s.carry)
		if err != nil {
			return nil, err
		}
		missing := 1 // of the header, whose length is known only from its first bytes
		if header > 0 {
			missing = header + length - len(s.carry)
		}
		if missing == 0 {
			frame := s.carry
			s.carry = s.carry[:0]
			k.frame(s, frame[0], frame[header:])
			return data, nil
		}
		if len(data) == 0 {
			return nil, nil
		}
		n := min(missing, len(data))
		s.carry = append(s.carry, data[:n]...)
		data = data[n:]
	}
}

// frameSize parses the header of a frame from a server (RFC 6455, 5.2). A header that is incomplete has length 0.
func frameSize(b []byte) (header, length int, err error) {
	if len(b) < 2 {
		return 0, 0, nil
	}
	if b[0]&0x70 != 0 || b[1]&0x80 != 0 {
		return 0, 0, fmt.Errorf("a frame with header % x: no extension was negotiated, and servers do not mask", b[:2])
	}
	length = int(b[1])
	switch {
	case length > 125 && ws.OpCode(b[0]&0x0f).IsControl():
		return 0, 0, fmt.Errorf("a control frame with header % x: it may have at most 125 bytes", b[:2])
	case length < 126:
		return 2, length, nil
	case length == 126:
		if len(b) < 4 {
			return 0, 0, nil
		}
		return 4, int(binary.BigEndian.Uint16(b[2:])), nil
	}
	if len(b) < 10 {
		return 0, 0, nil
	}
	long := binary.BigEndian.Uint64(b[2:])
	if long > maxFrame {
		return 0, 0, fmt.Errorf("a frame of %d bytes", long)
	}
	return 10, int(long), nil
}

// frame handles a whole frame.
func (k *checker) frame(s *stream, first byte, payload []byte) {
	if op := ws.OpCode(first & 0x0f); op.IsControl() {
		k.control(op, payload)
		return
	}
	if k.data != nil {
		k.data(payload)
		return
	}
	number, ok := k.number(payload)
	if !ok {
		k.unnumbered++
		return
	}
	k.note(s, number)
}

// note records that a client got a number.
func (k *checker) note(s *stream, number uint64) {
	if number < k.minNumber {
		return
	}
	k.replies++
	if !s.subset.contains(number) {
		k.faults.Misrouted++
		return
	}
	s.add(s.subset.countBelow(number), &k.faults)
	i := number - k.first
	if i < uint64(len(k.sent)) {
		k.latency = append(k.latency, k.now-k.sent[i].Load())
	}
	if i < uint64(len(k.lastArrival)) {
		k.lastArrival[i] = k.now
	}
}

// number finds the number in a reply: at the offset where it was in the last reply, or else after the marker.
func (k *checker) number(payload []byte) (uint64, bool) {
	at := k.at
	if at < len(marker) || len(payload) < at+digits || string(payload[at-len(marker):at]) != marker {
		found := bytes.Index(payload, []byte(marker))
		at = found + len(marker)
		if found < 0 || len(payload) < at+digits {
			return 0, false
		}
		k.at = at
	}
	return parseNumber(payload[at : at+digits])
}

func parseNumber(text []byte) (n uint64, ok bool) {
	for _, c := range text {
		if c < '0' || c > '9' {
			return 0, false
		}
		n = 10*n + uint64(c-'0')
	}
	return n, true
}

// add records the arrival of a number.
func (s *stream) add(number uint64, f *faultCounts) {
	switch {
	case number == s.next || s.next == 0:
		s.next = number + 1
	case number > s.next:
		f.Lost += int(number - s.next)
		s.gaps = append(s.gaps, span{s.next, number})
		s.next = number + 1
	case s.fill(number):
		f.Lost--
		f.OutOfOrder++
	default:
		f.Duplicated++
	}
}

// fill removes a number from the gaps, and reports whether it was in one.
func (s *stream) fill(number uint64) bool {
	for i, g := range s.gaps {
		if number < g.from || number >= g.to {
			continue
		}
		s.gaps = append(s.gaps[:i], s.gaps[i+1:]...)
		if g.from < number {
			s.gaps = append(s.gaps, span{g.from, number})
		}
		if number+1 < g.to {
			s.gaps = append(s.gaps, span{number + 1, g.to})
		}
		return true
	}
	return false
}
