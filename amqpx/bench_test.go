package amqpx_test

import (
	"fmt"
	"log/slog"
	"testing"

	"github.com/clu-ws/clu-ws/amqpx"
	"github.com/clu-ws/clu-ws/internal/testkit"
)

// BenchmarkWindow measures how many confirmed publishes a second RabbitMQ takes by
// how many may be unconfirmed.
func BenchmarkWindow(b *testing.B) {
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
	// As many as may wait or be in flight are under way at once.
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
