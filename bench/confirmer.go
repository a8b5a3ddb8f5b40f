package bench

import (
	"context"
	"fmt"

	amqp "github.com/rabbitmq/amqp091-go"

	"github.com/clu-ws/clu-ws/amqpx"
)

// confirmer is the bare AMQP publisher: it publishes as a commander must, with confirms and returns, and does nothing else.
type confirmer struct {
	conn     *amqp.Connection
	channel  *amqp.Channel
	window   int // limit of unconfirmed publishes
	confirms <-chan amqp.Confirmation
	returns  <-chan amqp.Return
}

func newConfirmer(url string, window int) (*confirmer, error) {
	p, err := newPublisher(url, "")
	if err != nil {
		return nil, err
	}
	c := &confirmer{conn: p.conn, channel: p.channel, window: window}
	if err := c.channel.Confirm(false); err != nil {
		c.close()
		return nil, fmt.Errorf("cannot publish with confirms: %w", err)
	}
	// The library blocks when its notifications are not read.
	c.confirms = c.channel.NotifyPublish(make(chan amqp.Confirmation, window))
	c.returns = c.channel.NotifyReturn(make(chan amqp.Return, window))
	return c, nil
}

func (c *confirmer) close() { c.conn.Close() }

// publish publishes messages and waits until the broker has confirmed all of them.
func (c *confirmer) publish(ctx context.Context, exchange string, count int, message func(i int) amqpx.Message) error {
	always := make(chan struct{})
	close(always)
	for sent, confirmed := 0, 0; confirmed < count; {
		room := always
		if sent == count || sent-confirmed == c.window {
			room = nil
		}
		select {
		case <-room:
			m := message(sent)
			if err := c.channel.PublishWithContext(ctx, exchange, m.Key, m.Mandatory, false, m.Publishing); err != nil {
				return fmt.Errorf("cannot publish: %w", err)
			}
			sent++
		case confirm, ok := <-c.confirms:
			if !ok || !confirm.Ack {
				return fmt.Errorf("the broker refused a message to %q, or disconnected", exchange)
			}
			confirmed++
		case back := <-c.returns:
			return fmt.Errorf("a message to %q was returned: %s", back.RoutingKey, back.ReplyText)
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
	return nil
}
