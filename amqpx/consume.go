package amqpx

import (
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"
)

// ackDelay is how long the last deliveries of a batch may stay unacknowledged. It is longer
// than the period of the sweep, so that Go's poller need not be woken to wait for less.
const ackDelay = 50 * time.Millisecond

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

	// working guards the following fields, and the intake within the session.
	working sync.Mutex
	running bool
	dropped <-chan struct{} // the broker has removed something
	come    []*amqp.Delivery
	due     *time.Timer // for the acknowledgement of what was taken
	since   time.Time   // when the first of that was taken
	unacked int
	last    uint64 // the tag that was taken last
	acked   uint64 // and that was acknowledged last
}

// run ends when the deliveries do. The error is that the broker cancelled the
// consumer; of everything else that ends them, those who watch the channel and
// the connection know the reason.
//
// What had come before the connection broke is still handed over. What had not is lost of
// an exclusive queue; of a queue that lives on it comes again, and so does what was not
// acknowledged.
func (c *consumer) run() error {
	c.begin()
	defer c.end()
	for more := true; more; {
		c.takeAll()
		select {
		case <-c.inbox.news:
		case <-c.deliveries:
			more = false
		case <-c.dropped:
			c.working.Lock()
			c.intake.dropped(time.Now())
			c.working.Unlock()
		}
	}
	return c.cancellation()
}

func (c *consumer) begin() {
	c.working.Lock()
	defer c.working.Unlock()
	c.dropped = c.session.dropsOf(c.intake)
	c.due = time.AfterFunc(time.Hour, c.inbox.wake)
	c.intake.begin()
	c.running = true
}

// end takes the last deliveries.
func (c *consumer) end() {
	c.takeAll()
	c.working.Lock()
	defer c.working.Unlock()
	c.running = false
	c.due.Stop()
	c.ack()
	c.hear()
	c.intake.end(c.session.heard(), c.session.lastStood())
}

// takeAll takes what has come, and acknowledges what is due.
func (c *consumer) takeAll() {
	c.working.Lock()
	defer c.working.Unlock()
	for c.come = c.inbox.take(c.come); len(c.come) > 0; c.come = c.inbox.take(c.come) {
		for _, d := range c.come {
			c.hear()
			c.take(d)
			if c.unacked >= c.batch {
				c.ack()
			}
		}
	}
	if c.unacked > 0 && time.Since(c.since) >= ackDelay {
		c.ack()
	}
	c.rest(time.Now())
}

// takeNow takes a delivery on the goroutine that has read it, which spares the way to
// another one. It is false if others are before it, or if that could take long.
func (c *consumer) takeNow(d *amqp.Delivery) bool {
	ready := c.intake.queue.CanDeliver
	if ready == nil || !c.working.TryLock() {
		return false
	}
	defer c.working.Unlock()
	if !c.running || c.unacked+1 >= c.batch || c.inbox.waits() || !ready() {
		return false
	}
	read := time.Now() // and nothing more until it was handed over
	c.hear()
	c.take(d)
	c.rest(read)
	return true
}

// The following are called with working held.

func (c *consumer) take(d *amqp.Delivery) {
	c.progress.Add(1)
	c.intake.received(d)
	c.intake.take(d)
	c.intake.tookOne()
	c.progress.Add(1)
	if c.unacked++; c.unacked == 1 {
		c.since = time.Now()
		c.due.Reset(ackDelay)
	}
	c.last = d.DeliveryTag
	if err := c.outpaced(c.last); err != nil {
		c.session.fail(err)
	}
}

func (c *consumer) ack() {
	if c.unacked == 0 {
		return
	}
	// An error means that the channel is closed, which ends deliveries too.
	_ = c.channel.Ack(c.last, true)
	c.acked, c.unacked = c.last, 0
	c.intake.acknowledged()
}

// hear notes what the broker has removed.
func (c *consumer) hear() {
	select {
	case <-c.dropped:
		c.intake.dropped(time.Now())
	default:
	}
}

// rest notes that all that had come by then was taken.
func (c *consumer) rest(now time.Time) {
	c.hear()
	c.intake.quiet.waiting(now, c.last, c.acked, !c.session.doubt(now).IsZero())
	c.intake.tookAll(now, c.session.heard())
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
