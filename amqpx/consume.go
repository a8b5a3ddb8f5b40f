package amqpx

import (
	"fmt"
	"sync/atomic"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"
)

// ackDelay is how long the last deliveries of a batch may stay unacknowledged.
const ackDelay = 5 * time.Millisecond

// finishTimeout is how long the consumers of a session that ends have for what
// they were sent, and its broker for taking their acknowledgements.
const finishTimeout = 500 * time.Millisecond

// consumer takes one queue's deliveries and acknowledges them in batches: one
// multiple-ack for a quarter of the prefetch, or after ackDelay.
type consumer struct {
	intake     *intake
	session    *session
	channel    *amqp.Channel
	tag        string
	inbox      *inbox
	deliveries <-chan amqp.Delivery // the library's: closed when there will be none
	cancelled  <-chan string
	batch      int
	progress   atomic.Uint64 // grows when a delivery comes and when it was handed over
	ended      chan struct{} // closed when run has returned
}

// run ends when the deliveries do. The error is that the broker cancelled the
// consumer; of everything else that ends them, those who watch the channel and
// the connection know the reason.
//
// What had come before the connection broke is still handed over. What had not is lost of
// an exclusive queue; of a queue that lives on it comes again, and so does what was not
// acknowledged.
func (c *consumer) run() error {
	timer := time.NewTimer(time.Hour)
	defer timer.Stop()
	var unacked int
	var last, acked uint64
	ack := func() {
		if unacked > 0 {
			// An error means that the channel is closed, which ends deliveries too.
			_ = c.channel.Ack(last, true)
			acked = last
			c.intake.acknowledged()
		}
		unacked = 0
	}
	take := func(d *amqp.Delivery) {
		c.progress.Add(1)
		c.intake.received(d)
		c.intake.take(d)
		c.intake.tookOne()
		c.progress.Add(1)
		if last = d.DeliveryTag; unacked == 0 {
			timer.Reset(ackDelay)
		}
		if unacked++; unacked >= c.batch {
			ack()
		}
		if err := c.outpaced(last); err != nil {
			c.session.fail(err)
		}
	}
	dropped := c.session.dropsOf(c.intake)
	c.intake.begin()
	defer func() { c.intake.end(c.session.heard(), c.session.lastStood()) }()
	heard := func() {
		select {
		case <-dropped:
			c.intake.dropped(time.Now())
		default:
		}
	}
	var come []*amqp.Delivery
	takeAll := func() {
		for come = c.inbox.take(come); len(come) > 0; come = c.inbox.take(come) {
			for _, d := range come {
				heard()
				take(d)
			}
		}
	}
	for more := true; more; {
		takeAll()
		heard()
		now := time.Now()
		c.intake.quiet.waiting(now, last, acked, !c.session.doubt(now).IsZero())
		c.intake.tookAll(now, c.session.heard())
		select {
		case <-c.inbox.news:
		case <-c.deliveries:
			more = false
		case <-timer.C:
			ack()
		case <-dropped:
			c.intake.dropped(time.Now())
		}
	}
	takeAll()
	ack()
	heard()
	return c.cancellation()
}

func (c *consumer) cancellation() error {
	select {
	case _, ok := <-c.cancelled:
		if ok {
			return fmt.Errorf("the broker cancelled the consumer of %s: the queue was deleted", c.intake.what())
		}
	default:
	}
	return nil
}

// finish ends the consumers in order, as far as the connection still stands:
// what the broker had sent is handed over and acknowledged.
func (s *session) finish() {
	if !s.serving {
		return
	}
	for _, c := range s.consumers {
		// An error means that the connection is closed, which ends the deliveries.
		s.tasks.Go(func() { _ = c.channel.Cancel(c.tag, false) })
	}
	late := time.After(finishTimeout)
	for _, c := range s.consumers {
		select {
		case <-c.ended:
			if s.leaving {
				c.untie()
			}
		case <-late:
			return
		}
	}
}
