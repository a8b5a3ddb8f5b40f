package bench

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"sync/atomic"

	"github.com/gobwas/ws"
)

// maxFrame is the longest frame that a client takes, in bytes.
const maxFrame = 16 << 20

// Faults counts what no client should ever see.
type Faults struct {
	Lost       int `json:"lost"`       // numbers that were passed over and never came
	Duplicated int `json:"doubled"`    // numbers that came again
	OutOfOrder int `json:"disordered"` // numbers that came behind a higher one
	Misrouted  int `json:"misled"`     // numbers that were for others
}

func (f Faults) String() string {
	text := fmt.Sprintf("%d lost, %d doubled, %d out of order", f.Lost, f.Duplicated, f.OutOfOrder)
	if f.Misrouted > 0 {
		text += fmt.Sprintf(", %d for others", f.Misrouted)
	}
	return text
}

// subset says which numbers are for a client: every one, unless it says otherwise.
type subset struct {
	modulus, remainder uint64 // those that leave this rest when divided by of; 0 is every number
	none               bool   // no number
}

// countBelow counts the numbers of the share below a number: the place of that number
// among them, if it is one of them.
func (sh subset) countBelow(number uint64) uint64 {
	switch {
	case sh.none:
		return 0
	case sh.modulus == 0:
		return number
	}
	return (number + sh.modulus - 1 - sh.remainder) / sh.modulus
}

// contains tells whether a number is for the client.
func (sh subset) contains(number uint64) bool {
	return !sh.none && (sh.modulus == 0 || number%sh.modulus == sh.remainder)
}

// stream is what a checker knows of one client. Its numbers are places in its
// share, which have no gaps where numbers for others are.
type stream struct {
	subset subset
	next   uint64 // the number that has to come; 0 takes any
	gaps   []span // numbers below next that did not come
	carry  []byte // the start of a frame that the last read cut
}

// span is the numbers from..to, without to.
type span struct{ from, to uint64 }

// checker cuts clients' bytes into frames and checks the numbers in them. One
// serves all the clients of a crowd, in turn.
type checker struct {
	control func(op ws.OpCode, payload []byte) // gets pings, pongs and close frames

	at         int    // where in the last reply the number was
	minNumber  uint64 // lower numbers are left out
	faults     Faults
	replies    int // with a number
	unnumbered int // without
	bytes      int

	// With sent, the time from there to now is noted for each reply.
	sent    []atomic.Int64 // when the reply of number first+i was sent
	first   uint64
	now     int64
	latency []int64

	lastArrival []int64 // when the last client got each reply from first on; nil is not noted
}

// feed takes the next bytes of a client, cut anywhere.
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

// complete adds what is missing to the frame that was cut, and handles it if
// it is whole now. It gives the bytes behind it, nil if it is still not whole.
func (k *checker) complete(s *stream, data []byte) ([]byte, error) {
	for {
		header, length, err := frameSize(s.carry)
		if err != nil {
			return nil, err
		}
		missing := 1 // of the header, whose length shows by and by
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

// frameSize reads the header of a frame from a server (RFC 6455, 5.2). The
// header is 0 bytes long as long as it is not whole.
func frameSize(b []byte) (header, length int, err error) {
	if len(b) < 2 {
		return 0, 0, nil
	}
	if b[0]&0x70 != 0 || b[1]&0x80 != 0 {
		return 0, 0, fmt.Errorf("a frame with header % x: no extension was agreed on, and servers do not mask", b[:2])
	}
	length = int(b[1])
	switch {
	case length > 125 && ws.OpCode(b[0]&0x0f).IsControl():
		return 0, 0, fmt.Errorf("a control frame with header % x: 125 bytes is all it may have", b[:2])
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

// frame handles one whole frame.
func (k *checker) frame(s *stream, first byte, payload []byte) {
	if op := ws.OpCode(first & 0x0f); op.IsControl() {
		k.control(op, payload)
		return
	}
	number, ok := k.number(payload)
	if !ok {
		k.unnumbered++
		return
	}
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

// number finds the number in a reply: where it was in the last one, or else
// behind the marker wherever that is.
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
	var n uint64
	for _, c := range payload[at : at+digits] {
		if c < '0' || c > '9' {
			return 0, false
		}
		n = 10*n + uint64(c-'0')
	}
	return n, true
}

// add notes that a number came.
func (s *stream) add(number uint64, f *Faults) {
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

// fill takes a number out of the gaps, and tells whether it was in one.
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
