package bench

import (
	"context"
	"fmt"
	"sync/atomic"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"
)

// publisher stands in for the actors: it publishes replies that were made beforehand.
type publisher struct {
	conn     *amqp.Connection
	channel  *amqp.Channel
	exchange string
	sender   func(number uint64) string // of the replies; nil is defaultSender
	more     func(number uint64) string // members of their bodies, each after a comma; nil is none

	keys    []string
	replies []amqp.Publishing
}

func newPublisher(url, exchange string) (*publisher, error) {
	conn, err := amqp.Dial(url)
	if err != nil {
		return nil, fmt.Errorf("cannot reach the broker: %w", err)
	}
	channel, err := conn.Channel()
	if err != nil {
		conn.Close()
		return nil, fmt.Errorf("cannot publish: %w", err)
	}
	return &publisher{conn: conn, channel: channel, exchange: exchange}, nil
}

func (p *publisher) close() { p.conn.Close() }

// prepare makes the replies from number first on.
func (p *publisher) prepare(first uint64, count int) {
	p.keys, p.replies = p.keys[:0], p.replies[:0]
	for i := range uint64(count) {
		from := defaultSender
		if p.sender != nil {
			from = p.sender(first + i)
		}
		more := ""
		if p.more != nil {
			more = p.more(first + i)
		}
		key, message := reply(first+i, from, more)
		p.keys, p.replies = append(p.keys, key), append(p.replies, message)
	}
}

// publishAll publishes what was prepared, one reply each interval, or all at once. The time of each reply goes to sent, as
// far as that has room.
func (p *publisher) publishAll(ctx context.Context, every time.Duration, sent []atomic.Int64, clock func() int64) error {
	start := time.Now()
	for i := range p.replies {
		if every > 0 {
			time.Sleep(time.Until(start.Add(time.Duration(i) * every)))
		}
		if err := ctx.Err(); err != nil {
			return context.Cause(ctx)
		}
		if i < len(sent) {
			sent[i].Store(clock())
		}
		if err := p.channel.PublishWithContext(ctx, p.exchange, p.keys[i], false, false, p.replies[i]); err != nil {
			return fmt.Errorf("cannot publish: %w", err)
		}
	}
	return nil
}
