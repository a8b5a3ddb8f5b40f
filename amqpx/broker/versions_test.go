package broker_test

import (
	"bytes"
	"io"
	"testing"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"

	"github.com/clu-ws/clu-ws/amqpx/broker"
	"github.com/clu-ws/clu-ws/internal/testkit"
)

// Where versions of RabbitMQ differ, package conformance tests nothing. The embedded broker behaves as follows.

func TestAGlobalPrefetchIsSharedByTheConsumersOfAChannel(t *testing.T) {
	_, url := serve(t, broker.Config{})
	ch := open(t, dial(t, url))
	must(t, ch.Confirm(false))
	for _, queue := range []string{"one", "two"} {
		declare(t, ch, queue)
		for range 5 {
			publish(t, ch, queue, nil)
		}
	}
	waiting := func(queue string) int {
		q, err := ch.QueueDeclarePassive(queue, false, false, false, false, nil)
		must(t, err)
		return q.Messages
	}
	must(t, ch.Qos(4, 0, true))
	first, err := ch.Consume("one", "", false, false, false, false, nil)
	must(t, err)
	var d amqp.Delivery
	for range 4 {
		d = testkit.Receive(t, first)
	}
	second, err := ch.Consume("two", "", false, false, false, false, nil)
	must(t, err)
	if one, two := waiting("one"), waiting("two"); one != 1 || two != 5 {
		t.Errorf("%d and %d messages wait, want 1 and 5", one, two)
	}
	must(t, d.Ack(true))
	testkit.Receive(t, second) // the shared prefetch was free for the other consumer, too
	if left := waiting("one") + waiting("two"); left != 2 {
		t.Errorf("%d messages wait, want 2: four are out again", left)
	}
}

func TestFramesMayBeAsSmallAsTheSpecificationAllows(t *testing.T) {
	_, url := serve(t, broker.Config{})
	conn, err := amqp.DialConfig(url, amqp.Config{FrameSize: 4096})
	must(t, err)
	t.Cleanup(func() { _ = conn.Close() })
	ch := open(t, conn)
	must(t, ch.Confirm(false))
	declare(t, ch, "q")
	deliveries, err := ch.Consume("q", "", true, false, false, false, nil)
	must(t, err)
	body := bytes.Repeat([]byte("x"), 100_000)
	publish(t, ch, "q", body)
	if d := testkit.Receive(t, deliveries); conn.Config.FrameSize != 4096 || !bytes.Equal(d.Body, body) {
		t.Errorf("got %d bytes in frames of %d", len(d.Body), conn.Config.FrameSize)
	}
}

func TestAnotherProtocolIsAnsweredWithAProtocolHeader(t *testing.T) {
	b, _ := serve(t, broker.Config{})
	for _, hello := range []string{"AMQP\x03\x01\x00\x00", "AMQP\x00\x00\x09\x00", "GET / HT"} {
		nc, err := b.Dial("", "")
		must(t, err)
		_ = nc.SetDeadline(time.Now().Add(testkit.Patience))
		_, err = nc.Write([]byte(hello))
		must(t, err)
		if got, _ := io.ReadAll(nc); string(got) != "AMQP\x00\x00\x09\x01" {
			t.Errorf("the answer to %q is %q", hello, got)
		}
		_ = nc.Close()
	}
}
