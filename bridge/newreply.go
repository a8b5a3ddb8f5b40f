package bridge

import (
	"math"

	"github.com/clu-ws/clu-ws/actor"
	"github.com/clu-ws/clu-ws/amqpx"
	"github.com/clu-ws/clu-ws/bridge/hub"
)

// newReply returns the reply of a delivery for which the envelope has been written.
func newReply(d *amqpx.Delivery, envelope []byte, bodyAt int) *hub.Reply {
	r := &hub.Reply{Plain: envelope, BodyAt: bodyAt}
	text := func(header string) string {
		s, _ := d.Headers[header].(string)
		return actor.HeaderText(s) // as in the envelope
	}
	r.Sender, r.Code = text("sender"), text("message_code")
	r.CommandID, r.Commander = text("command_id"), text("commander_id")
	r.RoutingKey = d.RoutingKey
	r.Internal, _ = d.Headers["internal"].(bool)
	r.Unroutable = d.Timestamp.IsZero() && r.Code == string(actor.Failed) && actor.IsUnroutable(r.RoutingKey, r.Commander, r.Sender)
	r.Order, r.Ordered = toInt64(d.Headers["order"])
	if r.Ordered {
		key, _ := d.Headers["order_key"].(string)
		r.OrderKey = r.Sender + "\x00" + key
		r.Ordered = len(r.OrderKey) <= maxOrderKey
	}
	return r
}

// maxOrderKey is the length of the longest order key, in bytes. It is bounded because each
// subscription remembers many of them. A reply with a longer key counts as unordered.
const maxOrderKey = 512

// toInt64 converts a header of any of AMQP's integer types.
func toInt64(v any) (int64, bool) {
	switch n := v.(type) {
	case int64:
		return n, true
	case int32:
		return int64(n), true
	case int16:
		return int64(n), true
	case int8:
		return int64(n), true
	case uint8:
		return int64(n), true
	case uint16:
		return int64(n), true
	case uint32:
		return int64(n), true
	case uint64:
		return int64(n), n <= math.MaxInt64
	case int:
		return int64(n), true
	}
	return 0, false
}
