package bridge

import (
	"fmt"
	"math"
	"time"

	"github.com/clu-ws/clu-ws/actor"
	"github.com/clu-ws/clu-ws/amqpx"
	"github.com/clu-ws/clu-ws/bridge/engine"
	"github.com/clu-ws/clu-ws/bridge/hub"
	"github.com/clu-ws/clu-ws/bridge/model"
	"github.com/clu-ws/clu-ws/bridge/protocol"
)

// envelopeRoom is roughly the length of an envelope without its body, in bytes.
const envelopeRoom = 384

// awaitCapacity waits, without a lock, while the engine is behind; the broker keeps the
// messages that come meanwhile. It is called before each message of the broker is delivered.
// Work caused by clients and timers has its own bounds.
func (b *Bridge) awaitCapacity() {
	_ = b.engine.AwaitCapacity(b.running) // an error means that the bridge is stopping
}

// deliver delivers a reply to every client. The link calls it for one reply at a time. waited reports
// whether the reply was at the broker before the link was up.
func (b *Bridge) deliver(d *amqpx.Delivery, waited bool) {
	b.awaitCapacity()
	offset, numbered := amqpx.TakeStreamOffset(d)
	wanted, done := b.pendingReturns.arrived(d.MessageId)
	defer done()
	if !wanted {
		return
	}
	r, err := b.readReply(d)
	if err != nil {
		b.replyDrops.Note(err.Error(), "sender", d.Headers["sender"], "routing_key", d.RoutingKey, "message_id", d.MessageId, "bytes", len(d.Body))
		return
	}
	b.metrics.replies.Inc()
	r.Past, r.WaitedSince = waited, b.waitedSince()
	b.hub.Reply(r, offset, numbered)
}

// waitedSince returns a time since which a reply that has come now may have waited in the socket: when
// the process was stopped or suspended for longer than a second, if that has just ended. It is in whole
// seconds, as the times in AMQP messages are: such replies count as old, and not as late.
func (b *Bridge) waitedSince() time.Time {
	paused := b.paused()
	if paused == 0 {
		return time.Time{}
	}
	const ended = time.Second // at most so long ago
	return b.hub.Time().Add(-paused - ended).Truncate(time.Second)
}

// readReply returns the reply of a delivery.
func (b *Bridge) readReply(d *amqpx.Delivery) (*hub.Reply, error) {
	buf := make([]byte, engine.MaxHeaderSize, engine.MaxHeaderSize+envelopeRoom+len(d.Body))
	buf, body, err := b.cfg.Envelope.AppendWithOffset(buf, d)
	if err != nil {
		return nil, err
	}
	return newReply(d, buf, body), nil
}

// skipped returns the message for a client that reads so slowly that frames are left out.
func (b *Bridge) skipped(v any, missed uint64) engine.Frame {
	c := v.(*client)
	if d, ok := c.dialectSession().(*dialectClient); ok {
		return d.skipped(missed)
	}
	if g := c.roomClient(); g != nil && g.follows == nil {
		return roomError(fmt.Sprintf("%d messages were left out here: this client reads too slowly", missed))
	}
	s := c.v1.Load()
	if s != nil {
		s.Skipped.Store(true)
	}
	if s != nil || c.roomClient() != nil {
		return protocol.Encode(protocol.Dropped{Op: "dropped", Count: missed})
	}
	return b.errorFrame("", fmt.Sprintf("%d replies were left out here: this client reads too slowly", missed))
}

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
	r.MessageID, r.Sent = d.MessageId, d.Timestamp
	r.Unroutable = d.Timestamp.IsZero() && r.Code == string(actor.Failed) && actor.IsUnroutable(r.RoutingKey, r.Commander, r.Sender)
	if r.Aside = isAck(d, r); r.Aside {
		r.About = acknowledgedOf(envelope[bodyAt : len(envelope)-1])
	}
	r.Aside = r.Aside || model.IsQuestion(r.CommandID)
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
