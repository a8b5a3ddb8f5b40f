package conformance

import (
	"context"
	"errors"
	"strconv"
	"testing"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"
)

// patience is the longest time to wait for anything that must happen.
const patience = 20 * time.Second

func itoa(n int) string { return strconv.Itoa(n) }

// channel is an AMQP channel whose helpers fail the test instead of returning an error.
type channel struct {
	*amqp.Channel
	s      *session
	closed chan *amqp.Error
}

// must fails the test if err is not nil.
func (ch *channel) must(err error) {
	ch.s.Helper()
	if err != nil {
		ch.s.Fatal(err)
	}
}

// exchange declares a new auto-delete exchange.
func (ch *channel) exchange(kind string) string {
	ch.s.Helper()
	name := ch.s.name(kind)
	ch.must(ch.ExchangeDeclare(name, kind, false, true, false, false, nil))
	return name
}

// queue declares a new exclusive queue.
func (ch *channel) queue() string {
	ch.s.Helper()
	return ch.declare(ch.s.name("queue"), false, true)
}

// shared declares a new queue that other connections may use, and deletes it after the test.
func (ch *channel) shared() string {
	ch.s.Helper()
	name := ch.declare(ch.s.name("queue"), false, false)
	ch.s.Cleanup(func() {
		conn, err := ch.s.dial(ch.s.to.url)
		if err != nil {
			return
		}
		defer conn.Close()
		if ch, err := conn.Channel(); err == nil {
			_, _ = ch.QueueDelete(name, false, false, false)
		}
	})
	return name
}

func (ch *channel) declare(name string, autoDelete, exclusive bool) string {
	ch.s.Helper()
	q, err := ch.QueueDeclare(name, false, autoDelete, exclusive, false, nil)
	ch.must(err)
	return q.Name
}

func (ch *channel) bind(queue, key, exchange string) {
	ch.s.Helper()
	ch.must(ch.QueueBind(queue, key, exchange, false, nil))
}

// send publishes a body and waits for its confirm; the channel must be in confirm mode.
func (ch *channel) send(exchange, key, body string) {
	ch.s.Helper()
	ch.sendMessage(exchange, key, amqp.Publishing{Body: []byte(body)})
}

func (ch *channel) sendMessage(exchange, key string, msg amqp.Publishing) {
	ch.s.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	outcome, err := ch.PublishWithDeferredConfirmWithContext(ctx, exchange, key, false, false, msg)
	ch.must(err)
	if acked, err := outcome.WaitContext(ctx); err != nil || !acked {
		ch.s.Fatalf("publish to %q with key %q was not confirmed: acked %v, error %v", exchange, key, acked, err)
	}
}

// confirming puts the channel into confirm mode.
func (ch *channel) confirming() *channel {
	ch.s.Helper()
	ch.must(ch.Confirm(false))
	return ch
}

// consume starts a consumer with manual acknowledgement.
func (ch *channel) consume(queue string) <-chan amqp.Delivery {
	ch.s.Helper()
	deliveries, err := ch.Consume(queue, "", false, false, false, false, nil)
	ch.must(err)
	return deliveries
}

// ready returns the number of messages in a queue that wait for delivery.
func (ch *channel) ready(queue string) int {
	ch.s.Helper()
	q, err := ch.QueueDeclarePassive(queue, false, false, false, false, nil)
	ch.must(err)
	return q.Messages
}

// take gets all messages of a queue and returns their bodies in order.
func (ch *channel) take(queue string) (bodies []string) {
	ch.s.Helper()
	for {
		d, ok, err := ch.Get(queue, true)
		ch.must(err)
		if !ok {
			return bodies
		}
		bodies = append(bodies, string(d.Body))
	}
}

// wantClosed waits until the broker closes the channel with the code.
func (ch *channel) wantClosed(code int) {
	ch.s.Helper()
	got := next(ch.s.T, ch.closed)
	if got == nil || got.Code != code {
		ch.s.Fatalf("the channel closed with %v, want code %d", got, code)
	}
}

// wantCode checks that err is an error from the broker with the reply code.
func wantCode(t *testing.T, err error, code int) {
	t.Helper()
	var got *amqp.Error
	if !errors.As(err, &got) || got.Code != code {
		t.Fatalf("got %v, want an AMQP error with code %d", err, code)
	}
}

// next returns the next value of a channel.
func next[T any](t *testing.T, from <-chan T) T {
	t.Helper()
	timeout := time.NewTimer(patience)
	defer timeout.Stop()
	select {
	case v, ok := <-from:
		if !ok {
			t.Fatal("the channel was closed; want one more value")
		}
		return v
	case <-timeout.C:
		t.Fatal("waited in vain")
	}
	panic("unreachable")
}

// eventually polls until done returns true. Each call is a round trip to the broker.
func (s *session) eventually(what string, done func() bool) {
	s.Helper()
	for end := time.Now().Add(patience); time.Now().Before(end); {
		if done() {
			return
		}
	}
	s.Fatalf("%s: not within %v", what, patience)
}

// exists reports whether a passive declare finds a queue or exchange. The channel is closed if it does not.
func (s *session) exists(conn *amqp.Connection, declare func(*amqp.Channel) error) bool {
	s.Helper()
	ch, err := conn.Channel()
	if err != nil {
		s.Fatal(err)
	}
	defer ch.Close()
	err = declare(ch)
	if err != nil {
		wantCode(s.T, err, amqp.NotFound)
	}
	return err == nil
}

func (s *session) queueExists(conn *amqp.Connection, name string) bool {
	s.Helper()
	return s.exists(conn, func(ch *amqp.Channel) error {
		_, err := ch.QueueDeclarePassive(name, false, false, false, false, nil)
		return err
	})
}

func (s *session) exchangeExists(conn *amqp.Connection, name, kind string) bool {
	s.Helper()
	return s.exists(conn, func(ch *amqp.Channel) error {
		return ch.ExchangeDeclarePassive(name, kind, false, false, false, false, nil)
	})
}

// equal compares two lists of bodies.
func (s *session) equal(what string, got, want []string) {
	s.Helper()
	if len(got) != len(want) {
		s.Fatalf("%s: got %q, want %q", what, got, want)
	}
	for i := range got {
		if got[i] != want[i] {
			s.Fatalf("%s: got %q, want %q", what, got, want)
		}
	}
}
