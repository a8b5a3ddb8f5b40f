package amqpx_test

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"testing"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"

	"github.com/clu-ws/clu-ws/amqpx"
	"github.com/clu-ws/clu-ws/internal/testkit"
)

// BenchmarkMaxInFlight measures how many confirmed publishes a second RabbitMQ handles, depending on how
// many may be unconfirmed.
func BenchmarkMaxInFlight(b *testing.B) {
	url := testkit.RabbitMQ(b).NewVHost(b)
	for _, window := range []int{1, 16, 64, 256, 1024} {
		b.Run(fmt.Sprint(window), func(b *testing.B) { publishThroughWindow(b, url, window) })
	}
}

func publishThroughWindow(b *testing.B, url string, window int) {
	up := make(chan struct{})
	link, err := amqpx.New(amqpx.Config{
		URLs: []string{url}, Name: "bench", Exchange: "bench", MaxInFlight: window, Logger: slog.New(slog.DiscardHandler),
		Queues: []amqpx.Queue{{Name: "bench", Bindings: []string{"#"}, Deliver: func(*amqpx.Delivery) {}}},
		OnState: func(s amqpx.State) {
			if s.Up {
				close(up)
			}
		},
	})
	if err != nil {
		b.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- link.Run(b.Context()) }()
	b.Cleanup(func() { <-ended }) // b.Context ends before
	<-up
	// As many as may be pending or in flight are published at once.
	places := make(chan struct{}, 1024)
	msg := amqpx.Message{Key: "command.x", Mandatory: true, Publishing: amqpx.Publishing{MessageId: "m", Body: make([]byte, 100)}}
	done := func(amqpx.Outcome) { <-places }
	b.ReportAllocs()
	for b.Loop() {
		places <- struct{}{}
		if err := link.Publish(msg, done); err != nil {
			b.Fatal(err)
		}
	}
	for range cap(places) {
		places <- struct{}{}
	}
	b.StopTimer()
	confirmed := link.Stats().Outcomes[amqpx.Confirmed]
	b.ReportMetric(float64(confirmed)/b.Elapsed().Seconds(), "confirmed/s")
	b.ReportMetric(float64(uint64(b.N)-confirmed), "failed")
}

// BenchmarkPrefetch reads a backlog of messages from RabbitMQ. The number beyond which more is no
// faster is half the default of [amqpx.Config.Prefetch].
func BenchmarkPrefetch(b *testing.B) {
	for _, prefetch := range []int{10, 50, 100, 200, 400, 1000} {
		b.Run(fmt.Sprint(prefetch), func(b *testing.B) { readBacklog(b, prefetch) })
	}
}

// readBacklog holds back the first delivery until everything is published: until then the link takes no
// more than the prefetch.
func readBacklog(b *testing.B, prefetch int) {
	url := testkit.RabbitMQ(b).URL()
	exchange := fmt.Sprintf("prefetch-%d-%d", prefetch, b.N)
	gate, all := make(chan struct{}), make(chan struct{})
	var count int
	linked := make(chan struct{})
	var once sync.Once
	link, err := amqpx.New(amqpx.Config{
		URLs: []string{url}, Name: exchange, Exchange: exchange, Prefetch: prefetch,
		OnState: func(s amqpx.State) {
			if s.Up {
				once.Do(func() { close(linked) })
			}
		},
		Logger: slog.New(slog.DiscardHandler),
		Queues: []amqpx.Queue{{Name: exchange + "_replies", Bindings: []string{"reply.#"}, Deliver: func(*amqpx.Delivery) {
			<-gate
			if count++; count == b.N {
				close(all)
			}
		}}},
	})
	if err != nil {
		b.Fatal(err)
	}
	ctx, stop := context.WithCancel(b.Context())
	var running sync.WaitGroup
	defer running.Wait()
	defer stop()
	running.Go(func() {
		if err := link.Run(ctx); err != nil {
			b.Error(err)
		}
	})
	<-linked
	publishReplies(b, url, exchange, b.N)
	b.ResetTimer()
	start := time.Now()
	close(gate)
	<-all
	b.ReportMetric(float64(b.N)/time.Since(start).Seconds(), "replies/s")
}

// publishReplies publishes a number of messages of the usual size, and waits until all are in
// the queue.
func publishReplies(b *testing.B, url, exchange string, count int) {
	ch := testkit.OpenChannel(b, url)
	if err := ch.Confirm(false); err != nil {
		b.Fatal(err)
	}
	confirms := ch.NotifyPublish(make(chan amqp.Confirmation, count))
	headers := amqp.Table{"message_code": "i", "sender": "bench", "internal": false, "command_id": nil, "commander_id": nil}
	body := []byte(`{"sequence":1000000000,"position":[12.3456,-65.4321]}`)
	for range count {
		err := ch.Publish(exchange, "reply.broadcast", false, false, amqp.Publishing{
			ContentType: "text/json", MessageId: "0123456789abcdef0123456789abcdef", Headers: headers, Body: body, Timestamp: time.Now(),
		})
		if err != nil {
			b.Fatal(err)
		}
	}
	for range count {
		if c, ok := <-confirms; !ok || !c.Ack {
			b.Fatal("the broker refused a reply, or hung up")
		}
	}
}
