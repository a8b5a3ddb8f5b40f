package actor

import (
	"github.com/clu-ws/clu-ws/amqpx"
)

// DropReason is why CLU would not pass on a message on reply.# as a reply. It is an error,
// and a label for counting, so its text does not change.
type DropReason string

// The reasons, in the order in which they are checked.
const (
	ErrNoCode     DropReason = "no message_code"
	ErrIDMismatch DropReason = "command_id differs from correlation_id"
	ErrNotDecoded DropReason = "body is not in its content encoding"
	ErrTooLong    DropReason = "body is longer than 16 MiB when it is unpacked"
	ErrNoBody     DropReason = "empty body"
	ErrNotString  DropReason = "body is an AMQP 1.0 value, but not a string"
	ErrSequence   DropReason = "body is an AMQP 1.0 sequence"
	ErrNotUTF8    DropReason = "body is not UTF-8"
	ErrNotJSON    DropReason = "body is not JSON"
)

// DropReasons returns all reasons.
func DropReasons() []DropReason {
	return []DropReason{ErrNoCode, ErrIDMismatch, ErrNotDecoded, ErrTooLong, ErrNoBody, ErrNotString, ErrSequence, ErrNotUTF8, ErrNotJSON}
}

func (d DropReason) Error() string { return string(d) }

// checkHeaders applies CLU's rules for headers (clu.client.AMQPReply): nil,
// [ErrNoCode] or [ErrIDMismatch]. A missing sender, an unknown code and an
// internal reply are no reason to drop a message.
func checkHeaders(d *amqpx.Delivery) error {
	code, ok := d.Headers["message_code"]
	if s, isString := code.(string); !ok || isString && s == "" {
		return ErrNoCode
	}
	// CLU compares only a command_id that Python calls true, and a correlation
	// id is always a string: a number never equals it.
	id := d.Headers["command_id"]
	if s, isString := id.(string); pythonTrue(id) && (!isString || s != d.CorrelationId) {
		return ErrIDMismatch
	}
	return nil
}
