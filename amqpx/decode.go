package amqpx

import (
	"encoding/binary"
	"math"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"
)

// sharedTexts is the longest header whose texts share their memory.
const sharedTexts = 640

// texts makes strings of parts of a payload.
type texts struct {
	all string // ends with the payload; "" if each text has its own memory
	at  int    // where the payload begins in it
}

func (t *texts) of(payload []byte, from, to int) string {
	if t.all != "" {
		return t.all[t.at+from : t.at+to]
	}
	return string(payload[from:to])
}

// properties reads all properties. findHeaders and sanitizeFields have checked their form.
func (t *texts) properties(payload []byte, d *amqp.Delivery) bool {
	flags := binary.BigEndian.Uint16(payload[contentHead-2:])
	at := contentHead
	for flag := uint16(1 << 15); flag > 1; flag >>= 1 {
		if flags&flag == 0 {
			continue
		}
		switch {
		case flag&shortStrings != 0:
			if at >= len(payload) || at+1+int(payload[at]) > len(payload) {
				return false
			}
			end := at + 1 + int(payload[at])
			if into := shortProperty(d, flag); into != nil {
				*into = t.of(payload, at+1, end)
			}
			at = end
		case flag == flagHeaders:
			long, _, ok := cutLong(payload[at:])
			if !ok {
				return false
			}
			at += 4 + len(long)
			if d.Headers, ok = t.table(payload, at-len(long), at); !ok {
				return false
			}
		case flag&octets != 0:
			if at >= len(payload) {
				return false
			}
			if flag == 1<<12 {
				d.DeliveryMode = payload[at]
			} else {
				d.Priority = payload[at]
			}
			at++
		case flag == timestamps:
			if at+8 > len(payload) {
				return false
			}
			d.Timestamp = unixTime(payload[at:])
			at += 8
		}
	}
	return true
}

// shortProperty returns where a property goes that is a short string; nil for the reserved one.
func shortProperty(d *amqp.Delivery, flag uint16) *string {
	switch flag {
	case 1 << 15:
		return &d.ContentType
	case 1 << 14:
		return &d.ContentEncoding
	case 1 << 10:
		return &d.CorrelationId
	case 1 << 9:
		return &d.ReplyTo
	case 1 << 8:
		return &d.Expiration
	case 1 << 7:
		return &d.MessageId
	case 1 << 5:
		return &d.Type
	case 1 << 4:
		return &d.UserId
	case 1 << 3:
		return &d.AppId
	}
	return nil
}

func unixTime(b []byte) time.Time { return time.Unix(int64(binary.BigEndian.Uint64(b)), 0) }

// table reads the fields of payload[at:end].
func (t *texts) table(payload []byte, at, end int) (amqp.Table, bool) {
	table := make(amqp.Table, 8)
	for at < end {
		kind, size, ok := nextField(payload[at:end], true)
		if !ok {
			return nil, false
		}
		name := t.of(payload, at+1, at+kind)
		if table[name], ok = t.value(payload, at+kind, at+size); !ok {
			return nil, false
		}
		at += size
	}
	return table, true
}

// array reads the fields of payload[at:end]. Like the library's, an empty array is nil.
func (t *texts) array(payload []byte, at, end int) (array []any, ok bool) {
	for at < end {
		kind, size, ok := nextField(payload[at:end], false)
		if !ok {
			return nil, false
		}
		v, ok := t.value(payload, at+kind, at+size)
		if !ok {
			return nil, false
		}
		array = append(array, v)
		at += size
	}
	return array, true
}

// value reads a field whose type is payload[at], into the library's Go types.
func (t *texts) value(payload []byte, at, end int) (v any, ok bool) {
	kind := payload[at]
	b := payload[at+1 : end]
	switch kind {
	case 'V':
		return nil, true
	case 't':
		return b[0] != 0, true
	case 'b':
		return int8(b[0]), true
	case 'B':
		return b[0], true
	case 's':
		return int16(binary.BigEndian.Uint16(b)), true
	case 'u':
		return binary.BigEndian.Uint16(b), true
	case 'I':
		return int32(binary.BigEndian.Uint32(b)), true
	case 'i':
		return binary.BigEndian.Uint32(b), true
	case 'f':
		return math.Float32frombits(binary.BigEndian.Uint32(b)), true
	case 'D':
		return amqp.Decimal{Scale: b[0], Value: int32(binary.BigEndian.Uint32(b[1:]))}, true
	case 'l':
		return int64(binary.BigEndian.Uint64(b)), true
	case 'd':
		return math.Float64frombits(binary.BigEndian.Uint64(b)), true
	case 'T':
		return unixTime(b), true
	case 'S':
		return t.of(payload, at+5, end), true
	case 'x':
		return append([]byte{}, b[4:]...), true
	case 'F':
		return t.table(payload, at+5, end)
	case 'A':
		return t.array(payload, at+5, end)
	}
	return nil, false
}
