package amqpx

import (
	"context"
	"errors"

	amqp "github.com/rabbitmq/amqp091-go"
)

// A witness reports whether the bindings of a queue have stood since they were made.
// CLU's exchange is not durable: when the broker is restarted it is gone, and with
// it the bindings, although the queue is still there; an actor may make the
// exchange again before the link is back. The witness is an exchange that nobody
// publishes to. It is made after the bindings, is not durable either, and is deleted
// with the queue to which it is bound.
//
// It says nothing of the messages, and need not: what it is bound to, a quorum queue or a
// stream, keeps them. RabbitMQ that has its metadata in Khepri keeps exchanges that are
// not durable over a restart, too: the bindings, the witness and the tie alike.

func restartSentinelOf(queue string) string { return queue + "_witness" }

// restartSentinelStands reports whether the witness stands.
func (s *session) restartSentinelStands(queue string) (bool, error) {
	name := restartSentinelOf(queue)
	stands, err := s.found(func(ch *amqp.Channel) error {
		return ch.ExchangeDeclarePassive(name, amqp.ExchangeFanout, false, true, true, false, nil)
	})
	return stands, topology("exchange", name, err)
}

// makeRestartSentinel makes the witness. The bindings stand.
func makeRestartSentinel(ch *amqp.Channel, queue string) error {
	const durable, autoDelete, internal, noWait = false, true, true, false
	name := restartSentinelOf(queue)
	if err := ch.ExchangeDeclare(name, amqp.ExchangeFanout, durable, autoDelete, internal, noWait, nil); err != nil {
		return topology("exchange", name, err)
	}
	return topology("queue", queue, ch.QueueBind(queue, "", name, noWait, nil))
}

// removeRestartSentinel removes the witness, if it stands.
func removeRestartSentinel(ch *amqp.Channel, queue string) error {
	const ifUnused, noWait = false, false
	name := restartSentinelOf(queue)
	return topology("exchange", name, ch.ExchangeDelete(name, ifUnused, noWait))
}

// exists reports whether there is a queue, or stream, of that name. A message that finds
// no queue comes back, and is no error; what is declared passively and is missing
// leaves one in RabbitMQ's log. So that is done only where no message is taken. In a queue
// that a policy has cut to its length the message takes the place of another one, as
// any that comes: that is told with the others (dropped.go).
func (s *session) exists(ctx context.Context, queue string) (bool, error) {
	returned, err := s.markReturned(ctx, queue, amqp.Publishing{Type: placeType, MessageId: placeType}, markerTimeout)
	if !errors.Is(err, errNoMarker) {
		return !returned, err
	}
	return s.found(func(ch *amqp.Channel) error {
		_, err := ch.QueueDeclarePassive(queue, false, false, false, false, nil)
		return err
	})
}

// found asks on a channel of its own, which the broker closes when the answer is no.
func (s *session) found(ask func(*amqp.Channel) error) (bool, error) {
	ch, err := s.consuming.Channel()
	if err != nil {
		return false, err
	}
	defer ch.Close()
	err = ask(ch)
	if refusedWith(err, amqp.NotFound) {
		return false, nil
	}
	return err == nil, err
}

// refusedWith reports whether the broker answered with the code.
func refusedWith(err error, code int) bool {
	e, ok := errors.AsType[*amqp.Error](err)
	return ok && e.Server && e.Code == code
}
