package actor

import (
	"time"

	"github.com/clu-ws/clu-ws/amqpx"
)

// Envelope is how replies are written for WebSocket clients. The zero value
// writes what CLU 2.6 writes, with null for NaN and Infinity.
type Envelope struct {
	// NaN is how NaN, Infinity and -Infinity are written.
	NaN NaNMode
	// NaiveTime leaves the offset out of the timestamp, as CLU before 2.6 did.
	NaiveTime bool
}

// Append appends a reply's envelope to dst: a JSON object with the keys headers
// (sorted), exchange, message_id, routing_key, timestamp and body, in this order.
// The bytes of the body are copied as they are. If the error, a [DropReason], is
// not nil, dst is returned unchanged.
func (e Envelope) Append(dst []byte, d *amqpx.Delivery) ([]byte, error) {
	dst, _, err := e.AppendWithOffset(dst, d)
	return dst, err
}

// AppendWithOffset is [Envelope.Append] that also returns where in dst the body
// begins. The body ends before the last byte.
func (e Envelope) AppendWithOffset(dst []byte, d *amqpx.Delivery) (_ []byte, body int, _ error) {
	if err := checkHeaders(d); err != nil {
		return dst, 0, err
	}
	start := len(dst)
	dst = append(dst, `{"headers": `...)
	dst = e.appendTable(dst, d.Headers)
	dst = append(dst, `, "exchange": `...)
	dst = appendString(dst, d.Exchange)
	dst = append(dst, `, "message_id": `...)
	if d.MessageId == "" {
		dst = append(dst, "null"...)
	} else {
		dst = appendText(dst, d.MessageId)
	}
	dst = append(dst, `, "routing_key": `...)
	dst = appendString(dst, d.RoutingKey)
	dst = append(dst, `, "timestamp": `...)
	dst = e.appendTime(dst, d.Timestamp)
	dst = append(dst, `, "body": `...)
	body = len(dst)
	dst, err := jsonBody(dst, d, e.NaN)
	if err != nil {
		return dst[:start], 0, err
	}
	return append(dst, '}'), body, nil
}

// appendTime appends a time as Python's isoformat writes it, in UTC to the second, or null
// for no time. A year beyond Python's datetime, as from a sender that counts in
// milliseconds, also becomes null: CLU loses such a reply.
func (e Envelope) appendTime(dst []byte, t time.Time) []byte {
	t = t.UTC()
	if t.IsZero() || t.Year() < 1 || t.Year() > 9999 {
		return append(dst, "null"...)
	}
	// RFC3339 is the one layout for which package time has a fast path.
	dst = append(dst, '"')
	dst = t.AppendFormat(dst, time.RFC3339)
	dst = dst[:len(dst)-len("Z")]
	if !e.NaiveTime {
		dst = append(dst, "+00:00"...)
	}
	return append(dst, '"')
}

// AppendError appends the envelope that answers a refused message: a failed reply from the
// named bridge to a single client, which is not published. An empty command id is written
// as null.
func (e Envelope) AppendError(dst []byte, name, commandID, message string, now time.Time) []byte {
	headers := amqpx.Table{
		"command_id":   nil,
		"commander_id": nil,
		"internal":     false,
		"message_code": string(Failed),
		"sender":       name,
	}
	if commandID != "" {
		headers["command_id"] = commandID
	}
	dst, err := e.Append(dst, &amqpx.Delivery{
		Headers:       headers,
		CorrelationId: commandID,
		RoutingKey:    "reply." + name,
		Timestamp:     now,
		Body:          marshal(map[string]string{"error": message}),
	})
	if err != nil {
		panic("actor: an error envelope breaks CLU's rules: " + err.Error())
	}
	return dst
}
