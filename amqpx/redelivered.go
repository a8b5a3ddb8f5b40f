package amqpx

import (
	"encoding/binary"
	"hash/maphash"
	"slices"

	amqp "github.com/rabbitmq/amqp091-go"
)

// redelivered recognizes deliveries that come again because their acknowledgement was lost with a
// connection. The broker puts them back where they were: at the head of the queue, in order,
// flagged as redelivered and followed by the messages that never arrived. At most the prefetch
// can be unacknowledged, so the link remembers that many.
type redelivered struct {
	seed      maphash.Seed
	capacity  int
	delivered []uint64 // identities of the last deliveries handed over, in order
	current   int      // delivered[:current] went over before, or with, the last delivery
	acked     int      // delivered[:acked] was acknowledged, as far as is known

	replaying bool // so far, every delivery of this session was a repetition
	matched   bool // one of them was recognized

	fresh  bool                // a message of this session came for the first time
	before map[uint64]struct{} // what had been delivered when it began

	otherConsumer bool // another consumer had the queue when this session began
	shared        bool // there was one, and it may still have messages that were never delivered
	ambiguous     bool // a repetition may be one of those, and older than what was delivered since
}

func newRedelivered(capacity int) redelivered {
	return redelivered{seed: maphash.MakeSeed(), capacity: capacity}
}

// begin starts a session.
func (r *redelivered) begin() {
	r.ambiguous = r.shared && (r.ambiguous || r.fresh)
	r.shared = r.shared || r.otherConsumer
	r.replaying, r.matched, r.current, r.fresh = true, false, len(r.delivered), false
	r.before = make(map[uint64]struct{}, len(r.delivered))
	for _, id := range r.delivered {
		r.before[id] = struct{}{}
	}
}

// late reports whether a delivery comes again after one that came for the first time. A queue puts
// the messages of a consumer that is gone before all others, so in that case the consumer was
// dropped only after this session had begun. Or the consumer was dropped before this session began,
// but after the previous session had begun and got newer messages: then its messages cannot be
// distinguished from those of the previous session, and every repetition is late.
func (r *redelivered) late(d *amqp.Delivery) bool {
	if !d.Redelivered {
		r.fresh, r.ambiguous = true, false
		r.shared = r.otherConsumer
	}
	return d.Redelivered && (r.fresh || r.ambiguous)
}

// wasDelivered reports whether a late delivery was delivered, in this session or before it.
func (r *redelivered) wasDelivered(d *amqp.Delivery) bool {
	id := r.identity(d)
	_, before := r.before[id]
	return before || slices.Contains(r.delivered, id)
}

// seen reports whether the message was delivered before. If not, it counts as delivered now.
func (r *redelivered) seen(d *amqp.Delivery) bool {
	id := r.identity(d)
	if r.replaying && d.Redelivered {
		if at, ok := r.find(d, id); ok {
			r.matched, r.current = true, at+1
			return true
		}
	}
	r.replaying = false
	if len(r.delivered) >= 2*r.capacity {
		gone := len(r.delivered) - r.capacity + 1
		r.delivered = append(r.delivered[:0], r.delivered[gone:]...)
		r.acked = max(0, r.acked-gone)
	}
	r.delivered = append(r.delivered, id)
	r.current = len(r.delivered)
	return false
}

// find returns the position of a redelivered message in the order of deliveries. A message that was
// never acknowledged certainly comes again. One that was acknowledged may come again, but is
// recognized only by its message id: among equal messages, one that comes twice is better than one
// that is lost.
func (r *redelivered) find(d *amqp.Delivery, id uint64) (int, bool) {
	sure, from := min(r.acked, len(r.delivered)), max(0, len(r.delivered)-r.capacity)
	if d.MessageId == "" {
		from = max(from, sure)
	}
	if r.matched {
		from = r.current
	}
	for i := from; i < len(r.delivered); i++ {
		if r.delivered[i] == id {
			return i, true
		}
	}
	return 0, false
}

// acknowledged notes that the last delivery was acknowledged.
func (r *redelivered) acknowledged() { r.acked = r.current }

// identity hashes everything that the sender set in a message.
func (r *redelivered) identity(d *amqp.Delivery) uint64 {
	var h maphash.Hash
	h.SetSeed(r.seed)
	for _, s := range [...]string{d.MessageId, d.Exchange, d.RoutingKey, d.CorrelationId, d.ReplyTo, d.Type, d.AppId} {
		maphash.WriteComparable(&h, len(s))
		_, _ = h.WriteString(s)
	}
	var seconds [8]byte
	binary.LittleEndian.PutUint64(seconds[:], uint64(d.Timestamp.Unix()))
	_, _ = h.Write(seconds[:])
	_, _ = h.Write(d.Body)
	return h.Sum64()
}
