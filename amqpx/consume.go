package amqpx

import (
	"fmt"
	"sync/atomic"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"
)

// ackDelay is how long the last deliveries of a batch may stay unacknowledged. It is longer
// than the period of the sweep, so that Go's poller need not be woken for an earlier timer.
const ackDelay = 50 * time.Millisecond

// finishTimeout is how long the consumers of an ending session may take to deliver what they
// were sent, and how long the broker may take to accept their acknowledgements.
const finishTimeout = 500 * time.Millisecond

// consumer takes one queue's deliveries in a session and acknowledges them in batches: one
// multiple-ack for a quarter of the prefetch, or after ackDelay.
type consumer struct {
	state      *consumerState
	session    *session
	channel    *amqp.Channel
	tag        string
	inbox      *inbox
	deliveries <-chan amqp.Delivery // the library's: closed when there will be no more
	cancelled  <-chan string
	batch      int
	progress   atomic.Uint64 // incremented when a delivery arrives and when it was handed over
	ended      chan struct{} // closed when run has returned

	// state.mu guards the following fields, too.
	running  bool
	dropped  <-chan struct{} // the broker has removed a message
	taken    []*amqp.Delivery
	ackTimer *time.Timer // acknowledges the deliveries taken
	ackSince time.Time   // when the first unacknowledged one was taken
	unacked  int
	last     uint64 // the tag that was taken last
	acked    uint64 // the tag that was acknowledged last
}

// run takes deliveries until there are no more. It returns an error only if the broker
// cancelled the consumer; any other end is reported by the watchers of the channel and the
// connection.
//
// Deliveries that had arrived before the connection broke are still handed over. Those that
// had not are lost with an exclusive queue; a queue that outlives the link sends them again,
// together with those not acknowledged.
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
			c.state.mu.Lock()
			c.state.noteRemoval(time.Now())
			c.state.mu.Unlock()
		}
	}
	return c.cancellation()
}

func (c *consumer) begin() {
	c.state.mu.Lock()
	defer c.state.mu.Unlock()
	c.dropped = c.session.removalsOf(c.state)
	c.ackTimer = time.AfterFunc(time.Hour, c.inbox.wake)
	c.state.begin()
	c.running = true
}

// end takes the last deliveries.
func (c *consumer) end() {
	c.takeAll()
	c.state.mu.Lock()
	defer c.state.mu.Unlock()
	c.running = false
	c.ackTimer.Stop()
	c.ack()
	c.pollRemovals()
	// A network that stalled delivers old messages late, and may lose those behind them. Everything
	// that was routed before a request was made arrived before its answer.
	sure := later(c.session.lastAnswered(), c.state.boundAt)
	c.state.end(earlier(sure, c.session.lastHeard()), c.session.lastVerified())
}

// takeAll takes the deliveries that have arrived, and acknowledges what is due.
func (c *consumer) takeAll() {
	c.state.mu.Lock()
	defer c.state.mu.Unlock()
	for c.taken = c.inbox.take(c.taken); len(c.taken) > 0; c.taken = c.inbox.take(c.taken) {
		for _, d := range c.taken {
			c.pollRemovals()
			c.take(d)
			if c.unacked >= c.batch {
				c.ack()
			}
		}
	}
	if c.unacked > 0 && time.Since(c.ackSince) >= ackDelay {
		c.ack()
	}
	c.noteDrained(time.Now())
}

// tryDeliver takes a delivery on the goroutine that has read it, which saves waking another
// one. It returns false if other deliveries come first or if taking it could take long.
func (c *consumer) tryDeliver(d *amqp.Delivery) bool {
	canDeliver := c.state.queue.CanDeliver
	if canDeliver == nil || !c.state.mu.TryLock() {
		return false
	}
	defer c.state.mu.Unlock()
	if !c.running || c.unacked+1 >= c.batch || c.inbox.waits() || !canDeliver() {
		return false
	}
	read := time.Now() // nothing more is read until the delivery has been handed over
	c.pollRemovals()
	c.take(d)
	c.noteDrained(read)
	return true
}

// The following are called with state.mu held.

func (c *consumer) take(d *amqp.Delivery) {
	c.progress.Add(1)
	c.state.received(d)
	c.state.take(d)
	c.state.deliveredOne()
	c.progress.Add(1)
	if c.unacked++; c.unacked == 1 {
		c.ackSince = time.Now()
		c.ackTimer.Reset(ackDelay)
	}
	c.last = d.DeliveryTag
	if err := c.endProbing(c.last); err != nil {
		c.session.fail(err)
	}
}

func (c *consumer) ack() {
	if c.unacked == 0 {
		return
	}
	// An error means that the channel is closed, which ends the deliveries too.
	_ = c.channel.Ack(c.last, true)
	c.acked, c.unacked = c.last, 0
	c.state.acknowledged()
}

// pollRemovals checks whether the broker has removed messages.
func (c *consumer) pollRemovals() {
	select {
	case <-c.dropped:
		c.state.noteRemoval(time.Now())
	default:
	}
}

// noteDrained records that everything that had arrived by the given time was taken.
func (c *consumer) noteDrained(now time.Time) {
	c.pollRemovals()
	c.state.loss.idle(now, c.last, c.acked, c.session.lastAnswered(), !c.session.pausedSince(now).IsZero())
	c.state.deliveredAll(now, c.session.lastHeard())
}

func (c *consumer) cancellation() error {
	select {
	case _, ok := <-c.cancelled:
		if ok {
			return fmt.Errorf("the broker cancelled the consumer of %s: the queue was deleted", c.state.describe())
		}
	default:
	}
	return nil
}

// finish ends the consumers in an orderly way if the connection is still open: what the broker
// has sent is handed over and acknowledged.
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
			if s.closing {
				c.removeSentinel()
			}
		case <-late:
			return
		}
	}
}
