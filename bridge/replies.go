package bridge

import (
	"fmt"

	"github.com/clu-ws/clu-ws/amqpx"
	"github.com/clu-ws/clu-ws/bridge/engine"
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

// deliver delivers a reply to every client. The link calls it for one reply at a time.
func (b *Bridge) deliver(d *amqpx.Delivery) {
	b.awaitCapacity()
	offset, numbered := amqpx.TakeStreamOffset(d)
	wanted, done := b.pendingReturns.arrived(d.MessageId)
	defer done()
	if !wanted {
		return
	}
	buf := make([]byte, engine.MaxHeaderSize, engine.MaxHeaderSize+envelopeRoom+len(d.Body))
	buf, body, err := b.cfg.Envelope.AppendWithOffset(buf, d)
	if err != nil {
		b.replyDrops.Note(err.Error(), "sender", d.Headers["sender"], "routing_key", d.RoutingKey, "message_id", d.MessageId, "bytes", len(d.Body))
		return
	}
	b.metrics.replies.Inc()
	b.hub.Reply(newReply(d, buf, body), offset, numbered)
}

// missed is called by the link for a span of time in which replies may have been lost. A gap in
// a stream's past was logged and counted when it happened.
func (b *Bridge) missed(gap amqpx.Gap) {
	switch {
	case gap.Replayed:
		b.log.Debug("the stream's past has a gap", "from", gap.From, "to", gap.To)
	case gap.From.IsZero():
		b.log.Warn("replies may have been lost before the link stood", "until", gap.To)
		b.metrics.gaps.Inc()
	default:
		b.log.Warn("replies may have been lost", "from", gap.From, "to", gap.To, "seconds", gap.To.Sub(gap.From).Seconds())
		b.metrics.gapSeconds.Add(gap.To.Sub(gap.From).Seconds())
		b.metrics.gaps.Inc()
	}
	b.reportLink()
	b.hub.Missed(gap.From, gap.To)
}

// linkChanged is called by the link at every change of its state. It must not wait for the hub.
func (b *Bridge) linkChanged(state amqpx.State) {
	b.metrics.countLink(state)
	b.warnOfDenied(state.Err)
	if !state.Up {
		b.pendingReturns.linkLost()
	}
	b.hub.Do(b.reportLink)
	if b.cfg.OnLink != nil {
		b.cfg.OnLink(state)
	}
}

// skipped returns the message for a client that reads so slowly that frames are left out.
func (b *Bridge) skipped(v any, missed uint64) engine.Frame {
	c := v.(*client)
	if c.roomClient() != nil {
		return roomError(fmt.Sprintf("%d messages were left out here: this client reads too slowly", missed))
	}
	if s := c.v1.Load(); s != nil {
		s.Skipped.Store(true)
		return protocol.Encode(protocol.Dropped{Op: "dropped", Count: missed})
	}
	return b.errorFrame("", fmt.Sprintf("%d replies were left out here: this client reads too slowly", missed))
}
