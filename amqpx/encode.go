package amqpx

import (
	"encoding/binary"
	"fmt"
	"math"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"
)

const (
	publishMethod = "\x00\x3c\x00\x28"
	basicClass    = 60
	mandatory     = 1
)

// publishFrames encodes messages for a channel.
type publishFrames struct {
	channel  uint16
	frameMax int // the longest frame, including its header and its end; 0 is any
	exchange string
}

// append appends the frames of a message that was checked.
func (f *publishFrames) append(dst []byte, m *Message) []byte {
	dst, at := f.begin(dst, methodFrame)
	dst = append(dst, publishMethod...)
	dst = append(dst, 0, 0) // reserved
	dst = appendShort(dst, f.exchange)
	dst = appendShort(dst, m.Key)
	flags := byte(0)
	if m.Mandatory {
		flags = mandatory
	}
	dst = endFrame(append(dst, flags), at)

	dst, at = f.begin(dst, headerFrame)
	dst = binary.BigEndian.AppendUint16(dst, basicClass)
	dst = append(dst, 0, 0) // weight
	dst = binary.BigEndian.AppendUint64(dst, uint64(len(m.Body)))
	dst = endFrame(appendProperties(dst, &m.Publishing), at)

	for body := m.Body; len(body) > 0; {
		part := body
		if most := f.frameMax - frameAround; f.frameMax > 0 && len(part) > most {
			part = part[:most]
		}
		dst, at = f.begin(dst, bodyFrame)
		dst = endFrame(append(dst, part...), at)
		body = body[len(part):]
	}
	return dst
}

func (f *publishFrames) begin(dst []byte, kind byte) (_ []byte, at int) {
	at = len(dst)
	return append(dst, kind, byte(f.channel>>8), byte(f.channel), 0, 0, 0, 0), at
}

func endFrame(dst []byte, at int) []byte {
	binary.BigEndian.PutUint32(dst[at+3:], uint32(len(dst)-at-frameHead))
	return append(dst, frameEnd)
}

// appendProperties appends the flags of the properties that are set, and then the properties.
func appendProperties(dst []byte, p *amqp.Publishing) []byte {
	at, flags := len(dst), uint16(0)
	dst = append(dst, 0, 0)
	short := func(flag uint16, text string) {
		if text != "" {
			flags |= flag
			dst = appendShort(dst, text)
		}
	}
	octet := func(flag uint16, v byte) {
		if v != 0 {
			flags |= flag
			dst = append(dst, v)
		}
	}
	short(1<<15, p.ContentType)
	short(1<<14, p.ContentEncoding)
	if len(p.Headers) > 0 {
		flags |= flagHeaders
		dst = appendTable(dst, p.Headers)
	}
	octet(1<<12, p.DeliveryMode)
	octet(1<<11, p.Priority)
	short(1<<10, p.CorrelationId)
	short(1<<9, p.ReplyTo)
	short(1<<8, p.Expiration)
	short(1<<7, p.MessageId)
	if !p.Timestamp.IsZero() {
		flags |= timestamps
		dst = binary.BigEndian.AppendUint64(dst, uint64(p.Timestamp.Unix()))
	}
	short(1<<5, p.Type)
	short(1<<4, p.UserId)
	short(1<<3, p.AppId)
	binary.BigEndian.PutUint16(dst[at:], flags)
	return dst
}

// appendShort appends a short string, which has at most 255 bytes.
func appendShort(dst []byte, s string) []byte {
	return append(append(dst, byte(len(s))), s...)
}

func appendLong[T string | []byte](dst []byte, s T) []byte {
	return append(binary.BigEndian.AppendUint32(dst, uint32(len(s))), s...)
}

// openLong reserves room for the size of what is appended next, and closeLong fills it in.
func openLong(dst []byte) (_ []byte, at int) { return append(dst, 0, 0, 0, 0), len(dst) }

func closeLong(dst []byte, at int) []byte {
	binary.BigEndian.PutUint32(dst[at:], uint32(len(dst)-at-4))
	return dst
}

func appendTable(dst []byte, t amqp.Table) []byte {
	dst, at := openLong(dst)
	for name, v := range t {
		dst = appendField(appendShort(dst, name), v)
	}
	return closeLong(dst, at)
}

func appendArray(dst []byte, list []any) []byte {
	dst, at := openLong(dst)
	for _, v := range list {
		dst = appendField(dst, v)
	}
	return closeLong(dst, at)
}

// appendField appends the type and the value of a field. The Go types are the library's.
func appendField(dst []byte, v any) []byte {
	switch v := v.(type) {
	case nil:
		return append(dst, 'V')
	case bool:
		if v {
			return append(dst, 't', 1)
		}
		return append(dst, 't', 0)
	case int8:
		return append(dst, 'b', byte(v))
	case byte:
		return append(dst, 'B', v)
	case int16:
		return binary.BigEndian.AppendUint16(append(dst, 's'), uint16(v))
	case uint16:
		return binary.BigEndian.AppendUint16(append(dst, 'u'), v)
	case int:
		return binary.BigEndian.AppendUint32(append(dst, 'I'), uint32(v))
	case int32:
		return binary.BigEndian.AppendUint32(append(dst, 'I'), uint32(v))
	case uint32:
		return binary.BigEndian.AppendUint32(append(dst, 'i'), v)
	case int64:
		return binary.BigEndian.AppendUint64(append(dst, 'l'), uint64(v))
	case float32:
		return binary.BigEndian.AppendUint32(append(dst, 'f'), math.Float32bits(v))
	case float64:
		return binary.BigEndian.AppendUint64(append(dst, 'd'), math.Float64bits(v))
	case amqp.Decimal:
		return binary.BigEndian.AppendUint32(append(dst, 'D', v.Scale), uint32(v.Value))
	case time.Time:
		return binary.BigEndian.AppendUint64(append(dst, 'T'), uint64(v.Unix()))
	case string:
		return appendLong(append(dst, 'S'), v)
	case []byte:
		return appendLong(append(dst, 'x'), v)
	case amqp.Table:
		return appendTable(append(dst, 'F'), v)
	case []any:
		return appendArray(append(dst, 'A'), v)
	}
	panic(fmt.Sprintf("amqpx: a header of type %T passed the check", v))
}
