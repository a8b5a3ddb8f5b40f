package amqpx

import (
	"encoding/binary"
	"encoding/hex"
	"errors"
	"math"
	"slices"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"
)

// RabbitMQ converts messages published with AMQP 1.0 to AMQP 0-9-1, except for two things that it
// leaves encoded:
//
//   - a body that is not plain bytes (an amqp-value, an amqp-sequence; before RabbitMQ 4 also one of
//     several parts), in a message of the type amqp-1.0;
//   - before RabbitMQ 4 the application properties, in one header.
//
// The link decodes the properties, and a body that is text or bytes.
const (
	type10          = "amqp-1.0"
	properties10    = "x-amqp-1.0-app-properties"
	descriptorData  = 0x75
	descriptorList  = 0x76
	descriptorValue = 0x77
	descriptorProps = 0x74
	descriptorFoot  = 0x78
)

// decode10 decodes the parts that the broker left encoded.
func decode10(d *amqp.Delivery) {
	if encoded, ok := d.Headers[properties10].(string); ok {
		decodeProperties10(d.Headers, []byte(encoded))
	}
	if d.Type == type10 {
		if body, _, err := body10(d.Body); err == nil {
			d.Type, d.Body = "", body
		}
	}
}

// decodeProperties10 adds application properties to the headers. It replaces none.
func decodeProperties10(headers amqp.Table, encoded []byte) {
	descriptor, kind, b, rest, err := section10(encoded)
	if err != nil || descriptor != descriptorProps || len(rest) > 0 {
		return
	}
	v, err := decodeValue10(kind, b, 0)
	properties, ok := v.(amqp.Table)
	if err != nil || !ok {
		return
	}
	delete(headers, properties10)
	for name, value := range properties {
		if _, taken := headers[name]; !taken {
			headers[name] = value
		}
	}
}

// UndecodedBody returns the kind of body that an AMQP 1.0 publisher sent instead of text or bytes:
// "value" or "sequence". It returns "" for any other body. The delivery must be one that
// [Queue].Deliver got.
func UndecodedBody(d *Delivery) string {
	if d.Type != type10 {
		return ""
	}
	_, kind, err := body10(d.Body)
	if err == nil {
		return ""
	}
	return kind
}

var (
	errNoBody10 = errors.New("not text or bytes")
	errBroken10 = errors.New("not AMQP 1.0")
)

// body10 returns a body that is text or bytes. For any other, it returns an error and its kind.
func body10(encoded []byte) (body []byte, kind string, err error) {
	var pieces [][]byte
	for len(encoded) > 0 {
		descriptor, kind, b, rest, err := section10(encoded)
		if err != nil {
			return nil, "", err
		}
		encoded = rest
		switch descriptor {
		case descriptorFoot:
			continue
		case descriptorList:
			return nil, "sequence", errNoBody10
		case descriptorData, descriptorValue:
		default:
			return nil, "", errBroken10
		}
		switch kind {
		case 0xa0, 0xb0, 0xa1, 0xb1, 0xa3, 0xb3:
			pieces = append(pieces, b)
		default:
			return nil, "value", errNoBody10
		}
	}
	if len(pieces) == 0 {
		return nil, "", errBroken10
	}
	slices.Reverse(pieces) // RabbitMQ 3 reverses them
	return slices.Concat(pieces...), "", nil
}

// section10 cuts one section off the front: a descriptor and a value.
func section10(b []byte) (descriptor, kind byte, value, rest []byte, err error) {
	// The two forms in which clients write the descriptor: as a small number, and as a long.
	switch {
	case len(b) > 3 && b[0] == 0 && b[1] == 0x53:
		descriptor, b = b[2], b[3:]
	case len(b) > 10 && b[0] == 0 && b[1] == 0x80 && binary.BigEndian.Uint64(b[2:]) <= math.MaxUint8:
		descriptor, b = b[9], b[10:]
	default:
		return 0, 0, nil, nil, errBroken10
	}
	kind = b[0]
	value, rest, err = cut10(kind, b[1:])
	return descriptor, kind, value, rest, err
}

// cut10 cuts a value of the given type off the front. The first digit of the type gives its
// length.
func cut10(kind byte, b []byte) (value, rest []byte, err error) {
	size := 0
	switch kind >> 4 {
	case 0x4:
	case 0x5:
		size = 1
	case 0x6:
		size = 2
	case 0x7:
		size = 4
	case 0x8:
		size = 8
	case 0x9:
		size = 16
	case 0xa, 0xc, 0xe:
		if len(b) < 1 {
			return nil, nil, errBroken10
		}
		size, b = int(b[0]), b[1:]
	case 0xb, 0xd, 0xf:
		value, rest, ok := cutLong(b)
		if !ok {
			return nil, nil, errBroken10
		}
		return value, rest, nil
	default:
		return nil, nil, errBroken10
	}
	if len(b) < size {
		return nil, nil, errBroken10
	}
	return b[:size], b[size:], nil
}

// decodeValue10 decodes a value that is exactly these bytes. Types that AMQP 0-9-1 lacks become text, and
// decimals, which are not in use, remain bytes.
func decodeValue10(kind byte, b []byte, depth int) (any, error) {
	switch kind {
	case 0x40:
		return nil, nil
	case 0x41, 0x42:
		return kind == 0x41, nil
	case 0x56:
		return b[0] != 0, nil
	case 0x43, 0x44:
		return uint64(0), nil
	case 0x45:
		return []any{}, nil
	case 0x50:
		return b[0], nil
	case 0x51:
		return int8(b[0]), nil
	case 0x52, 0x53:
		return uint64(b[0]), nil
	case 0x54, 0x55:
		return int64(int8(b[0])), nil
	case 0x60:
		return binary.BigEndian.Uint16(b), nil
	case 0x61:
		return int16(binary.BigEndian.Uint16(b)), nil
	case 0x70:
		return binary.BigEndian.Uint32(b), nil
	case 0x71:
		return int32(binary.BigEndian.Uint32(b)), nil
	case 0x72:
		return math.Float32frombits(binary.BigEndian.Uint32(b)), nil
	case 0x73:
		return string(rune(binary.BigEndian.Uint32(b))), nil
	case 0x80:
		return binary.BigEndian.Uint64(b), nil
	case 0x81:
		return int64(binary.BigEndian.Uint64(b)), nil
	case 0x82:
		return math.Float64frombits(binary.BigEndian.Uint64(b)), nil
	case 0x83:
		return time.UnixMilli(int64(binary.BigEndian.Uint64(b))), nil
	case 0x98:
		h := hex.EncodeToString(b)
		return "urn:uuid:" + h[:8] + "-" + h[8:12] + "-" + h[12:16] + "-" + h[16:20] + "-" + h[20:], nil
	case 0xa0, 0xb0, 0x74, 0x84, 0x94:
		return append([]byte{}, b...), nil
	case 0xa1, 0xb1, 0xa3, 0xb3:
		return string(b), nil
	case 0xc0, 0xd0, 0xc1, 0xd1, 0xe0, 0xf0:
		return compound10(kind, b, depth+1)
	}
	return nil, errBroken10
}

// compound10 decodes a list, map or array, within the bounds of the library.
func compound10(kind byte, b []byte, depth int) (any, error) {
	width := 1
	if kind&0x10 != 0 {
		width = 4
	}
	if depth > maxFieldDepth || len(b) < width {
		return nil, errBroken10
	}
	count := uint32(b[0])
	if width == 4 {
		count = binary.BigEndian.Uint32(b)
	}
	b = b[width:]
	array := kind>>4 >= 0xe // all elements have the same type
	var each byte
	if array {
		if len(b) == 0 {
			return nil, errBroken10
		}
		each, b = b[0], b[1:]
	}
	if uint64(count) > uint64(len(b)) || count > 2*maxFieldEntries {
		return nil, errBroken10 // too many, or elements without a length
	}
	list := make([]any, 0, count)
	for range count {
		kind := each
		if !array {
			if len(b) == 0 {
				return nil, errBroken10
			}
			kind, b = b[0], b[1:]
		}
		value, rest, err := cut10(kind, b)
		if err != nil {
			return nil, err
		}
		v, err := decodeValue10(kind, value, depth)
		if err != nil {
			return nil, err
		}
		list, b = append(list, v), rest
	}
	if len(b) > 0 {
		return nil, errBroken10
	}
	if kind != 0xc1 && kind != 0xd1 {
		return list, nil
	}
	return pairs10(list)
}

// pairs10 makes a table of a map, whose keys must be text.
func pairs10(list []any) (any, error) {
	if len(list)%2 != 0 {
		return nil, errBroken10
	}
	table := amqp.Table{}
	for i := 0; i < len(list); i += 2 {
		key, ok := list[i].(string)
		if !ok {
			return nil, errBroken10
		}
		table[key] = list[i+1]
	}
	return table, nil
}
