package amqpx_test

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"github.com/clu-ws/clu-ws/amqpx"
	"github.com/clu-ws/clu-ws/amqpx/broker"
)

// Publish messages with known outcomes. The second one is returned, because no queue is bound
// for it.
func ExampleLink_PublishWait() {
	b := broker.New(broker.Config{}) // in place of a RabbitMQ
	defer b.Close()
	link, err := amqpx.New(amqpx.Config{
		URLs:     []string{"amqp://guest:guest@localhost/"},
		Dial:     b.Dial,
		Exchange: "weather",
		Queues: []amqpx.Queue{{
			Name:     "archive",
			Bindings: []string{"wind.#"},
			Deliver:  func(*amqpx.Delivery) {},
		}},
		PublishTimeout: 10 * time.Second,
		Logger:         slog.New(slog.DiscardHandler),
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	ctx, stop := context.WithTimeout(context.Background(), time.Minute)
	defer stop()
	ended := make(chan error, 1)
	go func() { ended <- link.Run(ctx) }()
	if err := link.Ready(ctx); err != nil {
		fmt.Println(err)
		return
	}
	for _, key := range []string{"wind.speed", "rain.rate"} {
		outcome, err := link.PublishWait(ctx, amqpx.Message{
			Key:        key,
			Mandatory:  true,
			Publishing: amqpx.Publishing{MessageId: key, Body: []byte("7.5")},
		})
		fmt.Println(key, outcome, err)
	}
	stop()
	fmt.Println("ended:", <-ended)
	// Output:
	// wind.speed confirmed <nil>
	// rain.rate returned <nil>
	// ended: <nil>
}

// Receive all messages of a topic exchange, and the gaps in which some may be missing.
func ExampleQueue() {
	b := broker.New(broker.Config{}) // in place of a RabbitMQ
	defer b.Close()
	heard := make(chan string)
	link, err := amqpx.New(amqpx.Config{
		URLs:     []string{"amqp://guest:guest@localhost/"},
		Dial:     b.Dial,
		Exchange: "weather",
		Queues: []amqpx.Queue{{
			Name:     "listener",
			Bindings: []string{"#"},
			Deliver:  func(d *amqpx.Delivery) { heard <- d.RoutingKey + " " + string(d.Body) },
			OnGap:    func(g amqpx.Gap) { fmt.Println("messages may be missing between", g.From, "and", g.To) },
		}},
		Logger: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	ctx, stop := context.WithTimeout(context.Background(), time.Minute)
	defer stop()
	ended := make(chan error, 1)
	go func() { ended <- link.Run(ctx) }()
	if err := link.Ready(ctx); err != nil {
		fmt.Println(err)
		return
	}
	for _, speed := range []string{"7.5", "8.1"} {
		msg := amqpx.Message{Key: "wind.speed", Publishing: amqpx.Publishing{Body: []byte(speed)}}
		if err := link.Publish(msg, func(amqpx.Outcome) {}); err != nil {
			fmt.Println(err)
		}
		fmt.Println(<-heard)
	}
	stop()
	<-ended
	// Output:
	// wind.speed 7.5
	// wind.speed 8.1
}
