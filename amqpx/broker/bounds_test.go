package broker_test

import (
	"errors"
	"testing"

	amqp "github.com/rabbitmq/amqp091-go"

	"github.com/clu-ws/clu-ws/amqpx/broker"
	"github.com/clu-ws/clu-ws/internal/testkit"
)

func TestAnUnsupportedArgumentIsRefusedByName(t *testing.T) {
	_, url := serve(t, broker.Config{})
	conn := dial(t, url)
	for _, args := range []amqp.Table{
		{"x-expires": int32(1000)}, {"x-message-ttl": int32(1000)}, {"x-max-length": int32(1)},
		{"x-queue-type": "quorum"}, {"x-queue-type": "stream"}, {"x-dead-letter-exchange": ""},
		{"x-dead-letter-routing-key": "q"}, {"x-delivery-limit": int32(10)}, {"x-overflow": "reject-publish"},
	} {
		for _, durable := range []bool{true, false} {
			_, err := open(t, conn).QueueDeclare("q", durable, false, !durable, false, args)
			wantRefusal(t, err, amqp.PreconditionFailed, anyKey(args))
		}
	}
	_, err := open(t, conn).QueueDeclarePassive("q", false, false, false, false, nil)
	wantRefusal(t, err, amqp.NotFound, "no queue 'q'") // none of it was done by half
	_, err = open(t, conn).QueueDeclare("q", false, false, true, false, amqp.Table{"x-queue-type": "classic", "my-note": "hello"})
	if err != nil {
		t.Errorf("arguments without an effect were refused: %v", err)
	}
	err = open(t, conn).ExchangeDeclare("x", "odd", false, true, false, false, nil)
	wantRefusal(t, err, amqp.PreconditionFailed, "unknown exchange type 'odd'")
	err = open(t, conn).ExchangeDeclare("x", "topic", false, true, false, false, amqp.Table{"alternate-exchange": "y"})
	wantRefusal(t, err, amqp.PreconditionFailed, "alternate-exchange")
	_, err = open(t, conn).Consume("q", "", false, false, false, false, amqp.Table{"x-priority": int32(3)})
	wantRefusal(t, err, amqp.PreconditionFailed, "x-priority")

	wantRefusal(t, open(t, dial(t, url)).ExchangeDeclare("h", "headers", false, true, false, false, nil), amqp.NotImplemented, "headers")
	wantRefusal(t, open(t, dial(t, url)).ExchangeBind("amq.topic", "k", "amq.direct", false, nil), amqp.NotImplemented, "exchanges")
	wantRefusal(t, open(t, dial(t, url)).Tx(), amqp.NotImplemented, "transactions")
}

func TestDeclarationsAreBounded(t *testing.T) {
	_, url := serve(t, broker.Config{MaxQueues: 2, MaxExchanges: 4, MaxBindings: 2, MaxConsumers: 1})
	conn := dial(t, url)
	ch := open(t, conn)
	for _, name := range []string{"one", "two"} {
		declare(t, ch, name)
	}
	_, err := open(t, conn).QueueDeclare("three", false, false, true, false, nil)
	wantRefusal(t, err, amqp.PreconditionFailed, "limit of 2 queues")

	must(t, ch.ExchangeDeclare("x", "topic", false, false, false, false, nil)) // beside three predeclared ones
	wantRefusal(t, open(t, conn).ExchangeDeclare("y", "topic", false, false, false, false, nil), amqp.PreconditionFailed, "limit of 4 exchanges")

	for _, name := range []string{"one", "two"} {
		must(t, ch.QueueBind(name, "#", "x", false, nil))
	}
	wantRefusal(t, open(t, conn).QueueBind("one", "k", "x", false, nil), amqp.PreconditionFailed, "limit of 2 bindings")

	_, err = ch.Consume("one", "", false, false, false, false, nil)
	must(t, err)
	_, err = open(t, conn).Consume("two", "", false, false, false, false, nil)
	wantRefusal(t, err, amqp.PreconditionFailed, "limit of 1 consumers")

	_, err = ch.QueueDelete("two", false, false, false)
	must(t, err)
	declare(t, ch, "three") // there is room again
	must(t, ch.QueueBind("three", "#", "x", false, nil))
}

func TestConnectionsAndChannelsAreBounded(t *testing.T) {
	b, url := serve(t, broker.Config{MaxConnections: 2, ChannelMax: 3})
	one, _ := dial(t, url), dial(t, url)
	if _, err := amqp.Dial(url); err == nil {
		t.Error("a third connection was accepted")
	}
	if _, err := b.Dial("", ""); err == nil {
		t.Error("a third connection was accepted over a pipe")
	}
	for range 3 {
		open(t, one)
	}
	if _, err := one.Channel(); !errors.Is(err, amqp.ErrChannelMax) {
		t.Errorf("a fourth channel: %v", err)
	}
}

func TestATooLargeBodyIsRefusedAtItsHeader(t *testing.T) {
	_, url := serve(t, broker.Config{MaxBody: 1000})
	ch := open(t, dial(t, url))
	closed := ch.NotifyClose(make(chan *amqp.Error, 1))
	must(t, ch.Publish("", "q", false, false, amqp.Publishing{Body: make([]byte, 1001)}))
	wantRefusal(t, testkit.Receive(t, closed), amqp.PreconditionFailed, "message size 1001 is larger than configured max size 1000")
}
