package bench

import (
	"context"
	"fmt"
	"sync/atomic"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"
)

// The goals for what a bridge adds to the latency of a bare consumer, in milliseconds.
const (
	addedP50 = 0.15
	addedP99 = 0.6
)

// latency measures the time from publishing a reply until a client reads it, and until a bare AMQP consumer does.
func (b *bench) latency(ctx context.Context) ([]Row, error) {
	server, err := b.server(ctx)
	if err != nil {
		return nil, err
	}
	defer server.stop()
	set, err := b.clients(ctx, server, b.size.LatencyClients, 0)
	if err != nil {
		return nil, err
	}
	defer set.disconnect()
	bare, err := b.bareConsumer()
	if err != nil {
		return nil, err
	}
	defer bare.close()

	r := round{count: b.size.LatencyReplies, every: b.size.LatencyEvery, timed: true}
	var with, without [2][]float64
	note := func(into *[2][]float64, latency []int64) {
		into[0] = append(into[0], float64(percentile(latency, 50))/1e6)
		into[1] = append(into[1], float64(percentile(latency, 99))/1e6)
	}
	throughServer := func() error {
		b.progress.begin("latency", "through the bridge", r.seconds())
		p, err := b.runRound(ctx, server, set, r)
		if err == nil {
			note(&with, p.Latency)
		}
		return err
	}
	straight := func() error {
		b.progress.begin("latency", "to a bare consumer", r.seconds())
		latency, err := bare.measure(ctx, r, b.loop.clock)
		if err == nil {
			note(&without, latency)
		}
		return err
	}
	warm := r.warmUp()
	if _, err := b.runRound(ctx, server, set, warm); err != nil {
		return nil, err
	}
	if _, err := bare.measure(ctx, warm, b.loop.clock); err != nil {
		return nil, err
	}
	if err := alternate(b.size.Rounds, straight, throughServer); err != nil {
		return nil, err
	}
	what := fmt.Sprintf("latency, %.0f/s, %d clients, ", 1/r.every.Seconds(), b.size.LatencyClients)
	return []Row{
		row("latency", what+"p50", "ms", with[0], "bare consumer", without[0], limit{by: Difference, bound: addedP50}),
		row("latency", what+"p99", "ms", with[1], "bare consumer", without[1], limit{by: Difference, bound: addedP99}),
	}, nil
}

func latencySeconds(s Sizes) float64 {
	r := round{count: s.LatencyReplies, every: s.LatencyEvery}
	return float64(2*s.Rounds) * r.seconds()
}

// bareConsumer consumes from an exchange of its own, and discards what it gets.
type bareConsumer struct {
	*publisher
	conn       *amqp.Connection
	deliveries <-chan amqp.Delivery
	checker    checker
	stream     stream
	next       uint64
}

func (b *bench) bareConsumer() (*bareConsumer, error) {
	p, err := newPublisher(b.brokerURL, bareExchange)
	if err != nil {
		return nil, err
	}
	c := &bareConsumer{publisher: p, next: firstNumber}
	if c.conn, c.deliveries, err = consume(b.brokerURL, bareExchange, "reply.#"); err != nil {
		p.close()
		return nil, fmt.Errorf("the bare consumer: %w", err)
	}
	return c, nil
}

// consume consumes messages with the routing key from a queue of its own, without acks.
func consume(url, exchange, key string) (_ *amqp.Connection, deliveries <-chan amqp.Delivery, err error) {
	conn, err := amqp.Dial(url)
	if err != nil {
		return nil, nil, err
	}
	defer func() {
		if err != nil {
			conn.Close()
		}
	}()
	ch, err := conn.Channel()
	if err != nil {
		return nil, nil, err
	}
	q, err := bindQueue(ch, exchange, key)
	if err != nil {
		return nil, nil, err
	}
	deliveries, err = ch.Consume(q, "", true, true, false, false, nil)
	return conn, deliveries, err
}

// keepExchanges binds a queue to each exchange that the scenarios use, until the connection is closed. Without it the
// broker deletes an exchange when the last client of a scenario disconnects, which may be after the first of the next has
// declared it; RabbitMQ 4.3 can then make it unusable for good (541 INTERNAL_ERROR).
func keepExchanges(url string) (*amqp.Connection, error) {
	conn, err := amqp.Dial(url)
	if err != nil {
		return nil, err
	}
	ch, err := conn.Channel()
	for _, name := range []string{exchange, bareExchange, cluExchange} {
		if err == nil {
			_, err = bindQueue(ch, name, "nobody.sends.this")
		}
	}
	if err != nil {
		conn.Close()
		return nil, err
	}
	return conn, nil
}

// bindQueue declares an exchange as CLU does, and an exclusive queue that gets messages with the routing key.
func bindQueue(ch *amqp.Channel, exchange, key string) (queue string, err error) {
	if err := ch.ExchangeDeclare(exchange, amqp.ExchangeTopic, false, true, false, false, nil); err != nil {
		return "", err
	}
	q, err := ch.QueueDeclare("", false, false, true, false, nil)
	if err != nil {
		return "", err
	}
	return q.Name, ch.QueueBind(q.Name, key, exchange, false, nil)
}

func (c *bareConsumer) close() {
	c.conn.Close()
	c.publisher.close()
}

// measure publishes a round to the consumer, and returns the latency of each reply.
func (c *bareConsumer) measure(ctx context.Context, r round, clock func() int64) ([]int64, error) {
	first := c.next
	c.next += uint64(r.count)
	c.prepare(first, r.count)
	sent := make([]atomic.Int64, r.count)
	latency := make([]int64, 0, r.count)
	ctx, cancel := context.WithTimeoutCause(ctx, time.Duration(r.count)*r.every+patience, fmt.Errorf("the bare consumer did not get all replies"))
	defer cancel()
	published := make(chan error, 1)
	go func() { published <- c.publishAll(ctx, r.every, sent, clock) }()
	for len(latency) < r.count {
		select {
		case d, ok := <-c.deliveries:
			now := clock()
			number, found := c.checker.number(d.Body)
			if !ok || !found || number-first >= uint64(len(sent)) {
				cancel()
				<-published
				return nil, fmt.Errorf("the bare consumer got %q", d.Body)
			}
			c.stream.add(number, &c.checker.faults)
			latency = append(latency, now-sent[number-first].Load())
		case <-ctx.Done():
			<-published
			return nil, context.Cause(ctx)
		}
	}
	if err := <-published; err != nil {
		return nil, err
	}
	if c.checker.faults != (faultCounts{}) {
		return nil, fmt.Errorf("the bare consumer: %v", c.checker.faults)
	}
	return latency, nil
}
