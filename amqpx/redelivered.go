package amqpx

import (
	"encoding/binary"
	"hash/maphash"
	"slices"

	amqp "github.com/rabbitmq/amqp091-go"
)

// redelivered finds the deliveries that were handed over and come again, because
// their acknowledgement was lost with a connection. The broker puts them back
// where they were: at the head of the queue, in order, flagged as redelivered and
// followed by what never got through. At most the prefetch can be unacknowledged,
// so that many are remembered.
type redelivered struct {
	seed      maphash.Seed
	capacity  int
	delivered []uint64 // identities of the last deliveries handed over, in order
	current   int      // handed[:current] went over before, or with, the last delivery
	acked     int      // handed[:acked] has been acknowledged, to our knowledge

	replaying bool // all deliveries of this session came again so far
	matched   bool // one of them was known

	fresh  bool                // something in this session came for the first time
	before map[uint64]struct{} // what had been handed over when it began

	otherConsumer bool // when this session began there was an earlier consumer
	shared        bool // there was one, and it may still have what was never handed over
	ambiguous     bool // so may what comes again be older than what was handed over since
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

// late reports whether the delivery comes again behind one that came for the first time.
// A queue puts back what it gave to a consumer that is gone before all that nobody had; so
// the consumer was gone only after this session had begun. Or it was gone when this session
// began, but not when the one before did, which had newer ones: then nobody can tell what it
// had from what the last session had, and all that comes again is late.
func (r *redelivered) late(d *amqp.Delivery) bool {
	if !d.Redelivered {
		r.fresh, r.ambiguous = true, false
		r.shared = r.otherConsumer
	}
	return d.Redelivered && (r.fresh || r.ambiguous)
}

// wasDelivered reports whether a late delivery was handed over, in this session or before it.
func (r *redelivered) wasDelivered(d *amqp.Delivery) bool {
	id := r.identity(d)
	_, before := r.before[id]
	return before || slices.Contains(r.delivered, id)
}

// seen reports whether the delivery was handed over before. Otherwise it is
// remembered as handed over now.
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

// find gives the place of a delivery that comes again. What was never acknowledged
// certainly comes. What was may come if it has an id of its own: of messages that
// equal each other one twice is better than one lost.
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

// acknowledged notes that an acknowledgement of the last delivery was sent.
func (r *redelivered) acknowledged() { r.acked = r.current }

// identity tells messages apart by all that their sender says of them.
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
