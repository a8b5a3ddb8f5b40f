package amqpx_test

import (
	"strings"
	"testing"

	"github.com/clu-ws/clu-ws/amqpx"
	"github.com/clu-ws/clu-ws/amqpx/broker"
)

func TestAMessageThatTheBrokerFindsTooLongBreaksTheLinkOnce(t *testing.T) {
	e := newEmbeddedWith(t, broker.Config{MaxBody: 1000}) // it has RabbitMQ's words
	w := run(t, amqpx.Config{URLs: []string{e.url()}})
	w.await(t, true)
	long := amqpx.Message{Key: "reply.me", Publishing: amqpx.Publishing{Body: make([]byte, 1001)}}
	outcome := make(chan amqpx.Outcome, 1)
	if err := w.Publish(long, func(o amqpx.Outcome) { outcome <- o }); err != nil {
		t.Fatal(err)
	}
	if got := receive(t, outcome); got != amqpx.Unknown {
		t.Errorf("the first one: %v", got)
	}
	w.await(t, false)
	w.await(t, true)
	err := w.Publish(long, func(o amqpx.Outcome) { t.Errorf("the second one was sent: %v", o) })
	if err == nil || !strings.Contains(err.Error(), "takes 1000") {
		t.Errorf("the second one: %v", err)
	}
	if got := receive(t, w.send(t, "reply.me", "short")); got != amqpx.Confirmed {
		t.Errorf("a short one: %v", got)
	}
	e.drop(t)
	w.await(t, false)
	w.await(t, true)
	if err := w.Publish(long, func(o amqpx.Outcome) { outcome <- o }); err != nil {
		t.Errorf("to a broker that may have another limit: %v", err)
	}
	receive(t, outcome)
}

func TestALimitIsThatOfOneAddress(t *testing.T) {
	small, large := newEmbeddedWith(t, broker.Config{MaxBody: 1000}), newEmbeddedWith(t, broker.Config{MaxBody: 2000})
	w := run(t, amqpx.Config{URLs: []string{small.url(), large.url()}})
	w.await(t, true)
	send := func() <-chan amqpx.Outcome {
		outcome := make(chan amqpx.Outcome, 1)
		long := amqpx.Message{Key: "reply.me", Publishing: amqpx.Publishing{Body: make([]byte, 1001)}}
		if err := w.Publish(long, func(o amqpx.Outcome) { outcome <- o }); err != nil {
			t.Fatal(err)
		}
		return outcome
	}
	if got := receive(t, send()); got != amqpx.Unknown {
		t.Errorf("to the small one: %v", got)
	}
	w.await(t, false)
	w.await(t, true)
	if got := receive(t, send()); got != amqpx.Confirmed {
		t.Errorf("to the large one: %v", got)
	}
	large.drop(t)
	w.await(t, false)
	w.await(t, true)
	err := w.Publish(amqpx.Message{Key: "reply.me", Publishing: amqpx.Publishing{Body: make([]byte, 1001)}},
		func(o amqpx.Outcome) { t.Errorf("to the small one again: %v", o) })
	if err == nil {
		t.Error("the small one's limit is forgotten")
	}
}
