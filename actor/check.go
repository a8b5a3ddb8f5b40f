package actor

import (
	"github.com/clu-ws/clu-ws/amqpx"
)

// Drop is why a message on reply.# is not a reply that CLU would hand on. It is
// an error, and a label for counting.
type Drop string

// The reasons, in the order in which they are looked for.
const (
	NoCode      Drop = "no message_code"
	Mismatch    Drop = "command_id differs from correlation_id"
	NotUnpacked Drop = "body is not in its content encoding"
	TooLong     Drop = "body is longer than 16 MiB when it is unpacked"
	NoBody      Drop = "empty body"
	NotText     Drop = "body is an AMQP 1.0 value, but not a string"
	Sequence    Drop = "body is an AMQP 1.0 sequence"
	NotUTF8     Drop = "body is not UTF-8"
	NotJSON     Drop = "body is not JSON"
)

// Drops are all reasons.
var Drops = []Drop{NoCode, Mismatch, NotUnpacked, TooLong, NoBody, NotText, Sequence, NotUTF8, NotJSON}

// BodyDrops are the reasons that [Body] gives.
var BodyDrops = []Drop{NotUnpacked, TooLong}

func (d Drop) Error() string { return string(d) }

// Check applies CLU's rules for headers (clu.client.AMQPReply): nil, [NoCode]
// or [Mismatch]. A missing sender, an unknown code or an internal reply are no
// reason to drop it.
func Check(d *amqpx.Delivery) error {
	code, ok := d.Headers["message_code"]
	if s, isString := code.(string); !ok || isString && s == "" {
		return NoCode
	}
	// CLU compares only a command_id that Python calls true, and a correlation
	// id is always a string: a number never equals it.
	id := d.Headers["command_id"]
	if s, isString := id.(string); pythonTrue(id) && (!isString || s != d.CorrelationId) {
		return Mismatch
	}
	return nil
}
