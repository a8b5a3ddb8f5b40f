package amqpx

import (
	"time"

	amqp "github.com/rabbitmq/amqp091-go"
)

// A gate is an exchange between the link's exchange and a queue. Deleting it unbinds the queue
// without touching it.
//
//	link's exchange ──► q_kept_gate ─ alternate exchange ─► q_kept_gated ──► q_kept
//	                         └─ a key never used ─► q_kept_dropped
//
// A kept queue needs a gate because of a fault of RabbitMQ 3.10 and 4.0: when a quorum queue is
// deleted while some dozen messages of a channel are on their way to it, the broker reads nothing
// more from that channel. The kept queue of a link that stays away for too long would expire, and
// silence every busy publisher until that is restarted. So nothing may be on its way to a kept
// queue when it expires. Its gate is bound to a single queue, that of the dead letters, with a
// routing key that is never used. When that queue expires, the gate loses its last binding and is
// deleted, and with it its bindings to the link's exchange. The kept queue, which nothing reaches
// any longer, expires later. Messages that the gate cannot route, which are all of them, go through
// its alternate exchange, which does not count as a binding. The existence of the gate also shows
// that the queue has not expired since it was bound.
//
// An exclusive queue needs a gate if RabbitMQ keeps its metadata in Khepri: when the node of the
// queue crashes, the queue stays bound, and the broker refuses (nack) everything published to it.
// Only the queue's own connection may unbind it, but any connection may delete the gate.

func gateOf(queue string) string { return queue + "_gate" }

// behindGate names the alternate exchange, to which the kept queue is bound.
func behindGate(queue string) string { return queue + "_gated" }

// gateKey is a routing key that is never used.
const gateKey = "clu-ws.never"

// keptOutlives is how much longer than its gate a kept queue lives.
const keptOutlives = 10 * time.Second

// openGate declares the gate of a queue and binds it, if the queue needs one and the broker and the
// user's permissions allow it.
func (s *session) openGate(cs *consumerState) error {
	cs.hasGate = false
	if !s.canBindExchanges() || !s.needsGate(cs) {
		return nil
	}
	ch, err := s.consuming.Channel()
	if err != nil {
		return err
	}
	defer ch.Close()
	err = makeGate(ch, cs)
	cs.hasGate = err == nil
	// Only binding it shows whether the user may bind it.
	for _, pattern := range cs.queue.Bindings {
		if err == nil {
			err = topology("exchange", gateOf(cs.queueName()), s.bindPattern(ch, cs, pattern))
		}
	}
	if cs.hasGate = err == nil; refusedWith(err, amqp.AccessRefused) || refusedWith(err, amqp.PreconditionFailed) {
		cs.gateLeft = true // it may be incomplete
		s.link.logNoGate(cs.queueName(), err)
		return nil
	}
	return err
}

// removeGate deletes what exists of a gate, as far as the user may. The queue is bound without
// it.
func (s *session) removeGate(cs *consumerState) error {
	for _, exchange := range []string{gateOf(cs.queueName()), behindGate(cs.queueName())} {
		if err := s.deleteExchange(exchange); err != nil {
			return err
		}
	}
	cs.gateLeft = false
	return nil
}

func (s *session) needsGate(cs *consumerState) bool {
	if cs.queue.Expires > 0 {
		return !cs.classic && cs.removals.deadLettered
	}
	return s.consuming.mayHaveKhepri()
}

func makeGate(ch *amqp.Channel, cs *consumerState) error {
	const durable, autoDelete, internal, noWait = false, true, true, false
	queue := cs.queueName()
	behind, gate := behindGate(queue), gateOf(queue)
	if cs.queue.Expires == 0 {
		if err := ch.ExchangeDeclare(gate, amqp.ExchangeFanout, durable, autoDelete, internal, noWait, nil); err != nil {
			return topology("exchange", gate, err)
		}
		return topology("queue", queue, ch.QueueBind(queue, "", gate, noWait, nil))
	}
	if err := ch.ExchangeDeclare(behind, amqp.ExchangeFanout, durable, autoDelete, internal, noWait, nil); err != nil {
		return topology("exchange", behind, err)
	}
	if err := ch.QueueBind(queue, "", behind, noWait, nil); err != nil {
		return topology("queue", queue, err)
	}
	onward := amqp.Table{"alternate-exchange": behind}
	if err := ch.ExchangeDeclare(gate, amqp.ExchangeDirect, durable, autoDelete, internal, noWait, onward); err != nil {
		return topology("exchange", gate, err)
	}
	return topology("queue", deadLetterQueueOf(queue), ch.QueueBind(deadLetterQueueOf(queue), gateKey, gate, noWait, nil))
}

// logNoGate logs, once in a link's life, that a queue has no gate.
func (l *Link) logNoGate(queue string, err error) {
	if !l.loggedNoGate {
		l.loggedNoGate = true
		l.log.Info("the queue has no gate: if it is deleted under traffic, or its node crashes, the broker may refuse what is published to the exchange; let the user configure, read and write to the gate and the exchange behind it",
			"queue", queue, "gate", gateOf(queue), "behind", behindGate(queue), "error", withoutPermission(err, l.cfg.Exchange))
	}
}

// gateStands reports whether the gate of a kept queue exists, or never existed. The exchange
// behind it is deleted with the kept queue.
func (s *session) gateStands(cs *consumerState) (bool, error) {
	if cs.classic || !s.canBindExchanges() {
		return true, nil
	}
	queue := cs.queueName()
	had := cs.hasGate
	if !had {
		var err error
		if had, err = s.found(func(ch *amqp.Channel) error { return askBehindGate(ch, queue) }); err != nil || !had {
			return err == nil, topology("exchange", behindGate(queue), err)
		}
	}
	cs.gateLeft = true
	stands, err := s.found(func(ch *amqp.Channel) error { return askForGate(ch, cs) })
	return stands, topology("exchange", gateOf(queue), err)
}

// askForGate returns an error if the gate or the exchange behind it is gone.
func askForGate(ch *amqp.Channel, cs *consumerState) error {
	const durable, autoDelete, internal, noWait = false, true, true, false
	queue := cs.queueName()
	err := ch.ExchangeDeclarePassive(gateOf(queue), amqp.ExchangeDirect, durable, autoDelete, internal, noWait, nil)
	if err != nil || cs.queue.Expires == 0 {
		return err
	}
	return askBehindGate(ch, queue)
}

func askBehindGate(ch *amqp.Channel, queue string) error {
	const durable, autoDelete, internal, noWait = false, true, true, false
	return ch.ExchangeDeclarePassive(behindGate(queue), amqp.ExchangeFanout, durable, autoDelete, internal, noWait, nil)
}

// bindPattern binds the queue, or its gate, to the link's exchange.
func (s *session) bindPattern(ch *amqp.Channel, cs *consumerState, pattern string) error {
	const noWait = false
	if cs.hasGate {
		return ch.ExchangeBind(gateOf(cs.queueName()), pattern, s.link.cfg.Exchange, noWait, nil)
	}
	return ch.QueueBind(cs.queueName(), pattern, s.link.cfg.Exchange, noWait, nil)
}

// unbindDirectly removes the bindings that a session without a gate made.
func (s *session) unbindDirectly(ch *amqp.Channel, cs *consumerState) error {
	for _, pattern := range cs.queue.Bindings {
		if err := ch.QueueUnbind(cs.queueName(), pattern, s.link.cfg.Exchange, nil); err != nil {
			return topology("queue", cs.queueName(), err)
		}
	}
	return nil
}
