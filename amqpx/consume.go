package amqpx

import (
	"fmt"
	"log/slog"
	"runtime/debug"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"
)

// ackDelay is how long the last deliveries of a batch may stay unacknowledged.
const ackDelay = 5 * time.Millisecond

// consumer takes one queue's deliveries and acknowledges them in batches: one
// multiple-ack for a quarter of the prefetch, or after ackDelay.
type consumer struct {
	queue      Queue
	channel    *amqp.Channel
	deliveries <-chan amqp.Delivery
	cancelled  <-chan string
	batch      int
	log        *slog.Logger
}

// run ends when the deliveries do. The error is that the broker cancelled the
// consumer; of everything else that ends them, those who watch the channel and
// the connection know the reason.
func (c consumer) run() error {
	timer := time.NewTimer(time.Hour)
	defer timer.Stop()
	var unacked int
	var last uint64
	ack := func() {
		if unacked > 0 {
			// An error means that the channel is closed, which ends deliveries too.
			_ = c.channel.Ack(last, true)
		}
		unacked = 0
	}
	for {
		select {
		case d, ok := <-c.deliveries:
			if !ok {
				return c.cancellation()
			}
			c.deliver(&d)
			if last = d.DeliveryTag; unacked == 0 {
				timer.Reset(ackDelay)
			}
			if unacked++; unacked >= c.batch {
				ack()
			}
		case <-timer.C:
			ack()
		}
	}
}

// deliver hands a message over. A panic over one message must not take the
// others with it.
func (c consumer) deliver(d *amqp.Delivery) {
	defer func() {
		if r := recover(); r != nil {
			c.log.Error("dropped a message that made its receiver panic", "queue", c.queue.Name,
				"routing_key", d.RoutingKey, "panic", r, "stack", string(debug.Stack()))
		}
	}()
	c.queue.Deliver(d)
}

func (c consumer) cancellation() error {
	select {
	case _, ok := <-c.cancelled:
		if ok {
			return fmt.Errorf("the broker cancelled the consumer of queue %s: the queue was deleted", c.queue.Name)
		}
	default:
	}
	return nil
}
