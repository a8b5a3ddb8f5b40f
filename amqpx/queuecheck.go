package amqpx

import (
	"errors"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"
)

// How long the broker's word on a queue holds. A queue that is missing is asked
// for again soon: an actor that starts must not be away for long.
const (
	existsFor  = time.Second
	missingFor = 250 * time.Millisecond
)

// knownQueues bounds what is remembered: the names are the commanders' choice.
const knownQueues = 1024

// queueCheck asks the broker whether queues exist. It belongs to the goroutine
// that publishes. It asks on the consuming connection: a broker that blocks
// publishers answers there.
type queueCheck struct {
	open    func() (*amqp.Channel, error)
	channel *amqp.Channel // nil until it is needed, and after the broker closed it
	known   map[string]queueStatus
	order   []string // the names known, oldest first
	unasked bool     // every queue is taken to exist: asking could break the link
}

type queueStatus struct {
	exists bool
	until  time.Time
}

func newQueueCheck(open func() (*amqp.Channel, error)) *queueCheck {
	return &queueCheck{open: open, known: map[string]queueStatus{}}
}

// any reports whether one of the queues exists. It waits for the broker, if need be
// until the connection breaks: that is the error.
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

// ask declares the queue passively, which changes nothing. The broker closes the
// channel over a queue that is missing (404), and over one that is exclusive to
// another connection (405), as those of CLU's actors are. Over anything else that
// it may say, the queue is taken to exist: the mandatory flag is still there.
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

// nextUnchecked is the message that take would give if what it needs were known to be
// there, or nil. It goes on waiting, and ends at its deadline, while its sender
// finds that out.
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

// checked takes the answer for what unready gave, unless it has ended meanwhile.
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
