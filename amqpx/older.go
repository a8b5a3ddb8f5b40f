package amqpx

import (
	"context"

	amqp "github.com/rabbitmq/amqp091-go"
)

// Earlier versions kept messages in a classic queue that bears the name itself. When a
// link of today comes to its place, what is in that queue is delivered first, and the queue
// is replaced. Between the two bindings messages may be lost, which is told.

// claimKeptName holds the name of a kept queue. older: an earlier version's kept queue has
// it, which nobody consumes.
func (s *session) claimKeptName(ctx context.Context, cs *consumerState) (older bool, err error) {
	taken := s.claimName(ctx, cs)
	if !refusedWith(taken, amqp.ResourceLocked) && !refusedWith(taken, amqp.PreconditionFailed) {
		return false, taken
	}
	ch, err := s.consuming.Channel()
	if err != nil {
		return false, err
	}
	defer ch.Close()
	const durable, autoDelete, exclusive, noWait = true, false, false, false
	q, err := ch.QueueDeclarePassive(cs.queue.Name, durable, autoDelete, exclusive, noWait, nil)
	if err != nil && !fromBroker(err) {
		return false, err
	}
	if err != nil || q.Consumers > 0 {
		return false, taken // it is another connection's
	}
	for _, pattern := range cs.queue.Bindings {
		if err := ch.QueueUnbind(cs.queue.Name, pattern, s.link.cfg.Exchange, nil); err != nil {
			return false, topology("queue", cs.queue.Name, err)
		}
	}
	// With its bindings went perhaps the exchange's last ones, and with them the exchange.
	if err := s.declareExchange(ch); err != nil {
		return false, err
	}
	return true, nil
}

// migrateLegacy delivers what is in an earlier version's queue, and makes the exclusive one
// in its place. The kept queue is bound.
func (s *session) migrateLegacy(ctx context.Context, cs *consumerState) error {
	ch, err := s.consuming.Channel()
	if err != nil {
		return err
	}
	cs.noteOutage(0)
	name, taken := cs.queue.Name, 0
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
			cs.deliver(&d)
			taken++
		}
	}
	s.link.log.Info("replaced the queue of an earlier version", "queue", name, "kept", cs.queueName(), "messages", taken)
	const ifUnused, ifEmpty, noWait = true, true, false
	if _, err := ch.QueueDelete(name, ifUnused, ifEmpty, noWait); err != nil {
		return topology("queue", name, err)
	}
	if err := s.claimName(ctx, cs); err != nil {
		return err
	}
	// Its tie is of no use any more. An error means that the user may not delete it.
	_ = ch.ExchangeDelete(sentinelOf(name), false, noWait)
	return ch.Close()
}
