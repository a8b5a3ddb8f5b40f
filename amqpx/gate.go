package amqpx

import (
	"time"

	amqp "github.com/rabbitmq/amqp091-go"
)

// A gate is an exchange between the link's exchange and a queue. Who deletes it, or has it
// deleted, unbinds the queue without touching it.
//
// A kept queue needs one because of a fault of RabbitMQ 3.10 and 4.0: when a quorum queue
// goes while some dozen messages of a channel are on their way to it, they take nothing more
// from that channel. An actor would be silent until it is started again, because a bridge
// that kept its replies was away for too long. So what is published must have stopped
// before a kept queue expires. Its gate is bound to one queue only, that of the dead letters,
// by a routing key that nobody uses. When that queue expires, the gate loses its last binding,
// is deleted for that, and with it what is bound to the link's exchange. The kept queue, which
// nothing reaches any more, expires later. What the gate cannot route, which is everything,
// goes on by its alternate exchange, which needs no binding of the gate's. That the gate stands
// says also that the queue has not expired since it was bound.
//
// An exclusive queue needs one with RabbitMQ that has its metadata in Khepri: when its node
// crashes it stays bound, and the broker refuses (nack) to everybody what is published to it.
// Nobody but its connection may unbind it; the gate may be deleted.

func gateOf(queue string) string { return queue + "_gate" }

// behindGate is the alternate exchange, to which the kept queue is bound.
func behindGate(queue string) string { return queue + "_gated" }

// gateKey is a routing key that nobody publishes with.
const gateKey = "clu-ws.never"

// keptOutlives is how much longer than its gate a kept queue is kept.
const keptOutlives = 10 * time.Second

// openGate makes the gate of a queue and binds it, or finds it again, if the queue needs one
// and the broker and the user's permissions allow that.
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
	// Whether it may be bound shows only when it is.
	for _, pattern := range cs.queue.Bindings {
		if err == nil {
			err = topology("exchange", gateOf(cs.queueName()), s.bindPattern(ch, cs, pattern))
		}
	}
	if cs.hasGate = err == nil; refusedWith(err, amqp.AccessRefused) || refusedWith(err, amqp.PreconditionFailed) {
		cs.gateLeft = true // made by half
		s.link.logNoGate(cs.queueName(), err)
		return nil
	}
	return err
}

// removeGate removes what there is of a gate, as far as that is allowed. The queue is bound
// without it.
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

// logNoGate says once that a queue has no gate.
func (l *Link) logNoGate(queue string, err error) {
	if !l.loggedNoGate {
		l.loggedNoGate = true
		l.log.Info("the queue has no gate: if it goes under traffic, or its node crashes, the broker may refuse what is published to the exchange; let the user configure, read and write to the gate, and what is behind it",
			"queue", queue, "gate", gateOf(queue), "behind", behindGate(queue), "error", withoutPermission(err, l.cfg.Exchange))
	}
}

// gateStands reports whether the gate of a kept queue stands, or there never was one. What is
// behind it goes with the kept queue.
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

// askForGate is refused if the gate is gone, or what is behind it.
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

// bindPattern binds what is consumed, or its gate, to the link's exchange.
func (s *session) bindPattern(ch *amqp.Channel, cs *consumerState, pattern string) error {
	const noWait = false
	if cs.hasGate {
		return ch.ExchangeBind(gateOf(cs.queueName()), pattern, s.link.cfg.Exchange, noWait, nil)
	}
	return ch.QueueBind(cs.queueName(), pattern, s.link.cfg.Exchange, noWait, nil)
}

// unbindDirectly removes the bindings of a session that had no gate.
func (s *session) unbindDirectly(ch *amqp.Channel, cs *consumerState) error {
	for _, pattern := range cs.queue.Bindings {
		if err := ch.QueueUnbind(cs.queueName(), pattern, s.link.cfg.Exchange, nil); err != nil {
			return topology("queue", cs.queueName(), err)
		}
	}
	return nil
}
