package bench

import "bytes"

// scan finds all numbers in the payloads of a client's frames. Other servers put several messages into a frame, or split
// one among frames, and Python writes a space after a colon.
func (k *checker) scan(s *stream, payload []byte) {
	if len(s.tail) > 0 {
		payload = append(s.tail, payload...)
		s.tail = s.tail[:0]
	}
	for {
		at := bytes.Index(payload, []byte(marker))
		if at < 0 {
			payload = markerStart(payload)
			break
		}
		end := at + len(marker)
		if end < len(payload) && payload[end] == ' ' {
			end++
		}
		if len(payload) < end+digits {
			payload = payload[at:]
			break
		}
		if number, ok := parseNumber(payload[end : end+digits]); ok {
			k.note(s, number)
		} else {
			k.unnumbered++
		}
		payload = payload[end+digits:]
	}
	s.tail = append(s.tail, payload...)
}

// markerStart returns the end of the text that may be the start of a marker.
func markerStart(text []byte) []byte {
	for n := min(len(marker)-1, len(text)); n > 0; n-- {
		if end := text[len(text)-n:]; string(end) == marker[:n] {
			return end
		}
	}
	return nil
}
