package bridge

import (
	"fmt"
	"math"
	"time"

	"github.com/clu-ws/clu-ws/amqpx"
	"github.com/clu-ws/clu-ws/bridge/protocol"
	"github.com/clu-ws/clu-ws/bridge/rooms"
)

// The headers by which the publisher of a room's message says what its place among others is; see
// [rooms.Message]. The fields of a message that is published over HTTP or by a client have the
// same names.
const (
	headerOrder       = "order"        // an integer
	headerOrderKey    = "order_key"    // a string
	headerThrottle    = "throttle"     // a number of seconds
	headerThrottleKey = "throttle_key" // a string
)

// placeFields are the fields of a message that has a place among others.
var placeFields = []string{headerOrder, headerOrderKey, headerThrottle, headerThrottleKey}

// maxPlaceKey is the length of the longest key, in bytes. A message with a longer one has no
// place, like a reply with a long order key.
const maxPlaceKey = 255

// roomMessageOf returns a message for a room, with the place that its headers give it. A header of
// another type says nothing.
func roomMessageOf(path string, body []byte, headers amqpx.Table) rooms.Message {
	m := rooms.Message{Path: path, Format: rooms.FormatRaw, Frame: rooms.Frame(body), Body: body, Whole: body}
	if headers == nil {
		return m
	}
	m.OrderKey, _ = headers[headerOrderKey].(string)
	m.ThrottleKey, _ = headers[headerThrottleKey].(string)
	if m.Order, m.Ordered = toInt64(headers[headerOrder]); len(m.OrderKey) > maxPlaceKey {
		m.Ordered = false
	}
	if seconds, ok := toFloat64(headers[headerThrottle]); ok && seconds > 0 && len(m.ThrottleKey) <= maxPlaceKey {
		m.Throttle = time.Duration(min(seconds, maxThrottleSeconds) * float64(time.Second))
	}
	return m
}

// maxThrottleSeconds is the longest throttle, an hour.
const maxThrottleSeconds = 3600

// toFloat64 converts a header of any of AMQP's types of numbers, unless it is no number.
func toFloat64(v any) (float64, bool) {
	switch n := v.(type) {
	case float64:
		return n, !math.IsNaN(n)
	case float32:
		return float64(n), !math.IsNaN(float64(n))
	case amqpx.Decimal:
		return float64(n.Value) / math.Pow10(int(n.Scale)), true
	}
	n, ok := toInt64(v)
	return float64(n), ok
}

// readPlace reads the place of a message among others, as headers. They are nil if it has none.
func readPlace(f protocol.Fields) (amqpx.Table, error) {
	headers := amqpx.Table{}
	for _, name := range placeFields {
		if raw, ok := f[name]; !ok || string(raw) == "null" {
			continue
		}
		var err error
		switch name {
		case headerOrder:
			var n int
			err = protocol.Optional(f, name, "a whole number", &n)
			headers[name] = int64(n)
		case headerThrottle:
			var seconds float64
			if err = protocol.Optional(f, name, "a number of seconds", &seconds); err == nil && (seconds < 0 || seconds > maxThrottleSeconds) {
				err = fmt.Errorf("%q is %v seconds; it may be from 0 to %d", name, seconds, maxThrottleSeconds)
			}
			headers[name] = seconds
		default:
			var key string
			if err = protocol.Optional(f, name, "a string", &key); err == nil && len(key) > maxPlaceKey {
				err = fmt.Errorf("%q is %d bytes long; it may have %d", name, len(key), maxPlaceKey)
			}
			headers[name] = key
		}
		if err != nil {
			return nil, err
		}
	}
	if len(headers) == 0 {
		return nil, nil
	}
	return headers, nil
}
