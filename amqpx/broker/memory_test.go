package broker_test

import (
	"context"
	"fmt"
	"testing"

	amqp "github.com/rabbitmq/amqp091-go"

	"github.com/clu-ws/clu-ws/amqpx/broker"
	"github.com/clu-ws/clu-ws/internal/testkit"
)

func TestFullQueuesRefuseMessagesAndBlockPublishers(t *testing.T) {
	_, url := serve(t, broker.Config{MaxBytes: 100_000})
	conn, bystander := dial(t, url), dial(t, url)
	blocked := conn.NotifyBlocked(make(chan amqp.Blocking, 10))
	neverBlocked := bystander.NotifyBlocked(make(chan amqp.Blocking, 10))
	ch := open(t, conn)
	must(t, ch.Confirm(false))
	declare(t, ch, "q")

	accepted := 0
	for publish(t, ch, "q", make([]byte, 10_000)) {
		if accepted++; accepted > 10 {
			t.Fatal("more was accepted than there is room for")
		}
	}
	if accepted != 9 {
		t.Errorf("%d messages of 10,000 bytes fit into 100,000 bytes", accepted)
	}
	if b := testkit.Receive(t, blocked); !b.Active {
		t.Errorf("got %+v, want blocked", b)
	}
	if !publish(t, ch, "nobody", make([]byte, 10_000)) {
		t.Error("a message that no queue wants was refused for want of room")
	}
	// Acknowledgements get through, and make room.
	for range 5 {
		d, ok, err := ch.Get("q", false)
		if must(t, err); !ok {
			t.Fatal("no message")
		}
		must(t, d.Ack(false))
	}
	if b := testkit.Receive(t, blocked); b.Active {
		t.Errorf("got %+v, want unblocked", b)
	}
	if !publish(t, ch, "q", make([]byte, 10_000)) {
		t.Error("a message was refused although there is room")
	}
	open(t, bystander)
	if len(neverBlocked) != 0 {
		t.Error("a connection that does not publish was sent connection.blocked")
	}
}

func TestAMessageInManyQueuesIsCountedOnce(t *testing.T) {
	_, url := serve(t, broker.Config{MaxBytes: 100_000})
	ch := open(t, dial(t, url))
	must(t, ch.Confirm(false))
	for i := range 10 {
		declare(t, ch, fmt.Sprint(i))
		must(t, ch.QueueBind(fmt.Sprint(i), "", "amq.fanout", false, nil))
	}
	ctx, cancel := context.WithTimeout(t.Context(), testkit.Patience)
	defer cancel()
	outcome, err := ch.PublishWithDeferredConfirm("amq.fanout", "", false, false, amqp.Publishing{Body: make([]byte, 50_000)})
	must(t, err)
	if ok, err := outcome.WaitContext(ctx); err != nil || !ok {
		t.Errorf("one message for ten queues was refused: %v", err)
	}
}
