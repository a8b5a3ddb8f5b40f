package amqpx

import (
	"context"

	amqp "github.com/rabbitmq/amqp091-go"
)

// Earlier versions kept messages in a classic queue that bears the name itself. When a
// link of today comes to its place, what is in that queue is delivered first, and the queue
// is replaced. Between the two bindings messages may be lost, which is told.

// holdKeptName holds the name of a kept queue. older: an earlier version's kept queue has
// it, which nobody consumes.
func (s *session) holdKeptName(ctx context.Context, in *intake) (older bool, err error) {
	taken := s.holdName(ctx, in)
	if !refusedWith(taken, amqp.ResourceLocked) && !refusedWith(taken, amqp.PreconditionFailed) {
		return false, taken
	}
	ch, err := s.consuming.Channel()
	if err != nil {
		return false, err
	}
	defer ch.Close()
	const durable, autoDelete, exclusive, noWait = true, false, false, false
	q, err := ch.QueueDeclarePassive(in.queue.Name, durable, autoDelete, exclusive, noWait, nil)
	if err != nil && !fromBroker(err) {
		return false, err
	}
	if err != nil || q.Consumers > 0 {
		return false, taken // it is another connection's
	}
	for _, pattern := range in.queue.Bindings {
		if err := ch.QueueUnbind(in.queue.Name, pattern, s.link.cfg.Exchange, nil); err != nil {
			return false, topology("queue", in.queue.Name, err)
		}
	}
	// With its bindings went perhaps the exchange's last ones, and with them the exchange.
	if err := s.declareExchange(ch); err != nil {
		return false, err
	}
	return true, nil
}

// replaceOlder delivers what is in an earlier version's queue, and makes the exclusive one
// in its place. The kept queue is bound.
func (s *session) replaceOlder(ctx context.Context, in *intake) error {
	ch, err := s.consuming.Channel()
	if err != nil {
		return err
	}
	in.lost(0)
	name, taken := in.queue.Name, 0
	for {
		const autoAck = true // what is lost with the connection is in the gap
		d, ok, err := ch.Get(name, autoAck)
		if err != nil {
			return topology("queue", name, err)
		}
		if !ok {
			break
		}
		if !isMarker(&d, name) {
			in.deliver(&d)
			taken++
		}
	}
	s.link.log.Info("replaced the queue of an earlier version", "queue", name, "kept", in.holder(), "messages", taken)
	const ifUnused, ifEmpty, noWait = true, true, false
	if _, err := ch.QueueDelete(name, ifUnused, ifEmpty, noWait); err != nil {
		return topology("queue", name, err)
	}
	if err := s.holdName(ctx, in); err != nil {
		return err
	}
	// Its tie is of no use any more. An error means that the user may not delete it.
	_ = ch.ExchangeDelete(tieOf(name), false, noWait)
	return ch.Close()
}
