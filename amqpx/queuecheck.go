package amqpx

import (
	"errors"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"
)

// How long the broker's answer about a queue is valid. A missing queue is checked again soon: a
// consumer that starts must not be unreachable for long.
const (
	existsFor  = time.Second
	missingFor = 250 * time.Millisecond
)

// knownQueues bounds the answers that are remembered, because senders choose the names.
const knownQueues = 1024

// queueCheck asks the broker whether queues exist. It belongs to the sending goroutine. It asks on the
// consuming connection, where a broker that blocks publishers still answers.
type queueCheck struct {
	open    func() (*amqp.Channel, error)
	channel *amqp.Channel // nil until it is needed, and after the broker closed it
	known   map[string]queueStatus
	order   []string // the names known, oldest first
	unasked bool     // every queue counts as existing, because asking could break the link
}

type queueStatus struct {
	exists bool
	until  time.Time
}

func newQueueCheck(open func() (*amqp.Channel, error)) *queueCheck {
	return &queueCheck{open: open, known: map[string]queueStatus{}}
}

// any reports whether one of the queues exists. It waits for the broker, if need be until the
// connection breaks, and then returns that error.
func (q *queueCheck) any(names []string) (bool, error) {
	if q.unasked {
		return true, nil
	}
	for _, name := range names {
		a := q.known[name]
		if now := time.Now(); !now.Before(a.until) {
			exists, err := q.ask(name)
			if err != nil {
				return false, err
			}
			a = queueStatus{exists, now.Add(missingFor)}
			if exists {
				a.until = now.Add(existsFor)
			}
			q.remember(name, a)
		}
		if a.exists {
			return true, nil
		}
	}
	return false, nil
}

func (q *queueCheck) remember(name string, a queueStatus) {
	if _, known := q.known[name]; !known {
		if len(q.order) >= knownQueues {
			delete(q.known, q.order[0])
			q.order = q.order[1:]
		}
		q.order = append(q.order, name)
	}
	q.known[name] = a
}

// ask declares the queue passively, which changes nothing. The broker closes the channel if the
// queue is missing (404) or exclusive to another connection (405). After any other answer the queue
// counts as existing: the mandatory flag still shows whether it does.
func (q *queueCheck) ask(name string) (exists bool, err error) {
	if q.channel == nil {
		if q.channel, err = q.open(); err != nil {
			return false, err
		}
	}
	const durable, autoDelete, exclusive, noWait = false, false, false, false
	if _, err = q.channel.QueueDeclarePassive(name, durable, autoDelete, exclusive, noWait, nil); err == nil {
		return true, nil
	}
	q.channel = nil
	if e, ok := errors.AsType[*amqp.Error](err); ok && e.Server && e.Recover { // about the channel alone
		return e.Code != amqp.NotFound, nil
	}
	return false, err
}

// nextUnchecked returns the message that take would return if the queues that it needs were known to
// exist, or nil. The message stays pending, and ends at its deadline.
func (o *outbox) nextUnchecked(now time.Time) *publish {
	o.mu.Lock()
	p, unsent := o.head(now)
	o.mu.Unlock()
	o.end(unsent)
	if p == nil || p.ready {
		return nil
	}
	return p
}

// checked applies the answer about a message of nextUnchecked, unless the message has ended meanwhile.
func (o *outbox) checked(p *publish, exists bool) {
	o.mu.Lock()
	waits := o.queue.head() == p
	if waits && exists {
		p.ready = true
	}
	if waits && !exists {
		o.queue.pop()
		o.noteIdle()
	}
	o.mu.Unlock()
	if waits && !exists {
		o.figures.end(p, Returned)
	}
}
