package broker_test

import (
	"testing"

	amqp "github.com/rabbitmq/amqp091-go"

	"github.com/clu-ws/clu-ws/amqpx/broker"
)

// BenchmarkRelay publishes with a bounded number of unconfirmed messages on one connection and consumes with a multiple ack
// on another, as the bridge does; one operation is one message of 256 bytes, there and back.
func BenchmarkRelay(b *testing.B) {
	_, url := serve(b, broker.Config{})
	consumer, publisher := open(b, dial(b, url)), open(b, dial(b, url))
	must(b, consumer.Qos(300, 0, false))
	declare(b, consumer, "q")
	deliveries, err := consumer.Consume("q", "", false, false, false, false, nil)
	must(b, err)
	must(b, publisher.Confirm(false))
	const maxUnconfirmed = 1000
	confirms := publisher.NotifyPublish(make(chan amqp.Confirmation, maxUnconfirmed))
	body := make([]byte, 256)
	b.SetBytes(int64(len(body)))
	b.ResetTimer()

	done := make(chan struct{})
	go func() {
		defer close(done)
		for i := range b.N {
			if d := <-deliveries; i%75 == 74 || i == b.N-1 {
				_ = d.Ack(true)
			}
		}
	}()
	for i := range b.N {
		if i >= maxUnconfirmed {
			<-confirms
		}
		must(b, publisher.Publish("", "q", false, false, amqp.Publishing{MessageId: "0123456789abcdef", Body: body}))
	}
	<-done
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "msg/s")
}

// BenchmarkFanout measures delivery: one publish to a fanout exchange with 20 queues.
func BenchmarkFanout(b *testing.B) {
	_, url := serve(b, broker.Config{})
	consumer, publisher := open(b, dial(b, url)), open(b, dial(b, url))
	const fan = 20
	must(b, consumer.Qos(300, 0, false))
	counts := make(chan struct{}, fan)
	for range fan {
		q, err := consumer.QueueDeclare("", false, false, true, false, nil)
		must(b, err)
		must(b, consumer.QueueBind(q.Name, "", "amq.fanout", false, nil))
		deliveries, err := consumer.Consume(q.Name, "", true, false, false, false, nil)
		must(b, err)
		go func() {
			for range b.N {
				<-deliveries
			}
			counts <- struct{}{}
		}()
	}
	body := make([]byte, 256)
	b.ResetTimer()
	for range b.N {
		must(b, publisher.Publish("amq.fanout", "", false, false, amqp.Publishing{Body: body}))
	}
	for range fan {
		<-counts
	}
	b.ReportMetric(float64(b.N*fan)/b.Elapsed().Seconds(), "deliveries/s")
}
