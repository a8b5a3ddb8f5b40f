package amqpx

import (
	"errors"
	"sync"

	amqp "github.com/rabbitmq/amqp091-go"
)

// QueueUse is what the broker says about a queue of somebody else.
type QueueUse uint8

// The uses of a queue.
const (
	// UseUnknown: the link is down, or the broker does not say.
	UseUnknown QueueUse = iota
	// NoQueue: there is none of that name.
	NoQueue
	// Unused: it exists, and nobody consumes it.
	Unused
	// InUse: it has a consumer, or belongs to another connection, which alone may consume it.
	InUse
)

// AskQueue asks the broker whether a queue has a consumer, which changes nothing. It waits for the
// answer, if need be until the connection breaks, but delays nothing else on the link. logged reports
// whether the broker has refused the question: it does so for a queue that is missing or belongs to
// another connection, and RabbitMQ writes an error to its log. A broker that would close the
// connection over that is not asked.
func (l *Link) AskQueue(name string) (use QueueUse, logged bool) {
	if len(name) > MaxShortString || name == "" {
		return NoQueue, false // and "" would be the name of the last queue
	}
	s := l.serving.Load()
	if s == nil || s.consuming.closesOverRefusals() {
		return UseUnknown, false
	}
	return s.asker.ask(s.consuming.Channel, name)
}

// queueAsker asks about queues, one at a time, on a channel of its own, which the broker closes
// whenever it refuses a question.
type queueAsker struct {
	mu      sync.Mutex    // held while the broker answers
	channel *amqp.Channel // nil before it is needed, and after it was closed
}

func (q *queueAsker) ask(open func() (*amqp.Channel, error), name string) (use QueueUse, logged bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.channel == nil {
		ch, err := open()
		if err != nil {
			return UseUnknown, false
		}
		q.channel = ch
	}
	const durable, autoDelete, exclusive, noWait = false, false, false, false
	queue, err := q.channel.QueueDeclarePassive(name, durable, autoDelete, exclusive, noWait, nil)
	if err == nil {
		if queue.Consumers == 0 {
			return Unused, false
		}
		return InUse, false
	}
	q.channel = nil
	e, ok := errors.AsType[*amqp.Error](err)
	switch {
	case !ok || !e.Server:
		return UseUnknown, false
	case e.Code == amqp.NotFound:
		return NoQueue, true
	case e.Code == amqp.ResourceLocked:
		return InUse, true
	}
	return UseUnknown, true
}
