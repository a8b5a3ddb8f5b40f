package bench

import (
	"context"
	"fmt"
	"syscall"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"

	"github.com/clu-ws/clu-ws/amqpx"
)

// prefetch is the limit of unacknowledged replies of the bridge (the default of amqpx) and of the bare consumer.
const prefetch = 200

// fillWindow is the limit of unconfirmed replies while a queue is filled.
const fillWindow = 1000

// backlog measures how fast the bridge consumes replies that wait in its queue, and how fast a bare consumer does. The
// bridge is stopped while its queue is filled, so that it has its usual queue and link.
func (b *bench) backlog(ctx context.Context) ([]Row, error) {
	server, err := b.serverAt(ctx, b.rabbitURL)
	if err != nil {
		return nil, err
	}
	defer server.stop()
	set, err := b.clients(ctx, server, 1, 0)
	if err != nil {
		return nil, err
	}
	defer set.disconnect()
	filler, err := newConfirmer(b.rabbitURL, fillWindow)
	if err != nil {
		return nil, err
	}
	defer filler.close()
	bare, err := newBareReader(b.rabbitURL)
	if err != nil {
		return nil, err
	}
	defer bare.close()

	var with, without []float64
	into := func(name string, list *[]float64, round func() (time.Duration, error)) func() error {
		return func() error {
			b.progress.begin("backlog", fmt.Sprintf("%d replies wait for %s, %d rounds done", b.size.Backlog, name, len(*list)), backlogTime(b.size))
			took, err := round()
			*list = append(*list, float64(b.size.Backlog)/took.Seconds())
			return err
		}
	}
	throughBridge := func() (time.Duration, error) { return b.backlogOfBridge(ctx, server, set, filler) }
	straight := func() (time.Duration, error) { return bare.backlog(ctx, b.size.Backlog, filler) }
	if err := alternate(backlogRounds(b.size), into("a bare consumer", &without, straight), into("the bridge", &with, throughBridge)); err != nil {
		return nil, err
	}
	what := fmt.Sprintf("replies consumed, backlog of %s", grouped(b.size.Backlog))
	return []Row{row("backlog", what, "/s", with, "bare consumer", without, limit{by: Ratio, bound: 0.9, atLeast: true})}, nil
}

func backlogRounds(s Sizes) int { return s.Rounds }

// backlogTime is the approximate duration of a round in seconds: to publish and to consume.
func backlogTime(s Sizes) float64 { return 60e-6 * float64(s.Backlog) }

func backlogSeconds(s Sizes) float64 { return float64(2*backlogRounds(s)) * backlogTime(s) }

// fillPatience is how long it may take to fill a queue. A broker disconnects a bridge that misses two of its heartbeats,
// which are ten seconds apart.
const fillPatience = 15 * time.Second

// fill publishes the numbered replies, and waits until all are in the queue.
func (c *confirmer) fill(ctx context.Context, exchange string, first uint64, count int) error {
	ctx, cancel := context.WithTimeoutCause(ctx, fillPatience,
		fmt.Errorf("the queue was not filled within %v, and the broker will soon disconnect the bridge; run nothing else on the machine", fillPatience))
	defer cancel()
	return c.publish(ctx, exchange, count, func(i int) amqpx.Message {
		key, p := reply(first+uint64(i), defaultSender, "")
		return amqpx.Message{Key: key, Mandatory: true, Publishing: p}
	})
}

// backlogOfBridge returns the time from when the bridge continues to when its client has the last reply.
func (b *bench) backlogOfBridge(ctx context.Context, server *target, set *clientSet, filler *confirmer) (time.Duration, error) {
	first, count := server.next, b.size.Backlog
	server.next += uint64(count)
	set.expect(first, count, nil)
	if err := b.pause(ctx, server.child); err != nil {
		return 0, err
	}
	if err := filler.fill(ctx, exchange, first, count); err != nil {
		return 0, err
	}
	start := b.loop.clock()
	if err := syscall.Kill(server.pid, syscall.SIGCONT); err != nil {
		return 0, err
	}
	a, err := set.await(ctx, patience)
	if err != nil {
		return 0, err
	}
	if err := a.err(); err != nil {
		return 0, fmt.Errorf("%s: %w; the end of its log:\n%s", server.name, err, server.tail)
	}
	return time.Duration(a.At - start), nil
}

// pause stops a child until it gets SIGCONT, and waits until it has stopped.
func (b *bench) pause(ctx context.Context, c *child) error {
	if err := syscall.Kill(c.pid, syscall.SIGSTOP); err != nil {
		return fmt.Errorf("%s: %w", c.name, err)
	}
	for {
		stopped, err := b.proc.stopped(c.pid)
		if stopped || err != nil {
			return err
		}
		select {
		case <-time.After(time.Millisecond):
		case <-c.done:
			return fmt.Errorf("%s has ended; the end of its log:\n%s", c.name, c.tail)
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// bareReader consumes as the bridge does, with a prefetch and an ack for each quarter of it, and reads only the numbers.
type bareReader struct {
	conn    *amqp.Connection
	channel *amqp.Channel
	queue   string
	next    uint64
}

func newBareReader(url string) (r *bareReader, err error) {
	r = &bareReader{next: firstNumber}
	if r.conn, err = amqp.Dial(url); err != nil {
		return nil, fmt.Errorf("the bare consumer: %w", err)
	}
	defer func() {
		if err != nil {
			r.conn.Close()
		}
	}()
	if r.channel, err = r.conn.Channel(); err != nil {
		return nil, err
	}
	if r.queue, err = bindQueue(r.channel, bareExchange, "reply.#"); err != nil {
		return nil, err
	}
	return r, r.channel.Qos(prefetch, 0, false)
}

func (r *bareReader) close() { r.conn.Close() }

// backlog fills the queue, and returns the time from when the consumer starts to when it has the last reply.
func (r *bareReader) backlog(ctx context.Context, count int, filler *confirmer) (time.Duration, error) {
	first := r.next
	r.next += uint64(count)
	if err := filler.fill(ctx, bareExchange, first, count); err != nil {
		return 0, err
	}
	start := time.Now()
	deliveries, err := r.channel.Consume(r.queue, "bare", false, true, false, false, nil)
	if err != nil {
		return 0, err
	}
	var k checker
	s := stream{next: first}
	timeout := time.NewTimer(patience)
	defer timeout.Stop()
	for n := range count {
		var d amqp.Delivery
		select {
		case d = <-deliveries:
		case <-timeout.C:
			return 0, fmt.Errorf("the bare consumer got %d of %d replies within %v", n, count, patience)
		case <-ctx.Done():
			return 0, context.Cause(ctx)
		}
		number, found := k.number(d.Body)
		if !found {
			return 0, fmt.Errorf("the bare consumer got %q", d.Body)
		}
		s.add(number, &k.faults)
		if n%(prefetch/4) == prefetch/4-1 || n == count-1 {
			if err := d.Ack(true); err != nil {
				return 0, err
			}
		}
	}
	took := time.Since(start)
	if k.faults != (faultCounts{}) {
		return 0, fmt.Errorf("the bare consumer: %v", k.faults)
	}
	return took, r.channel.Cancel("bare", false)
}
