package broker_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	amqp "github.com/rabbitmq/amqp091-go"

	"github.com/clu-ws/clu-ws/internal/testkit"
)

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func dial(t testing.TB, url string) *amqp.Connection {
	t.Helper()
	conn, err := amqp.Dial(url)
	must(t, err)
	t.Cleanup(func() { _ = conn.Close() })
	return conn
}

func open(t testing.TB, conn *amqp.Connection) *amqp.Channel {
	t.Helper()
	ch, err := conn.Channel()
	must(t, err)
	return ch
}

// declare declares an exclusive queue.
func declare(t testing.TB, ch *amqp.Channel, name string) {
	t.Helper()
	_, err := ch.QueueDeclare(name, false, false, true, false, nil)
	must(t, err)
}

// publish reports whether the broker accepted the message.
func publish(t testing.TB, ch *amqp.Channel, queue string, body []byte) bool {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), testkit.Patience)
	defer cancel()
	outcome, err := ch.PublishWithDeferredConfirm("", queue, false, false, amqp.Publishing{Body: body})
	must(t, err)
	acked, err := outcome.WaitContext(ctx)
	must(t, err)
	return acked
}

func wantRefusal(t testing.TB, err error, code int, text string) {
	t.Helper()
	var got *amqp.Error
	if !errors.As(err, &got) || got.Code != code || !strings.Contains(got.Reason, text) {
		t.Errorf("got %v, want code %d and %q", err, code, text)
	}
}

func anyKey(table amqp.Table) string {
	for name := range table {
		return name
	}
	return ""
}
