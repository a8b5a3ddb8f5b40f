package amqpx_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	amqp10 "github.com/Azure/go-amqp"
	amqp "github.com/rabbitmq/amqp091-go"

	"github.com/clu-ws/clu-ws/amqpx"
	"github.com/clu-ws/clu-ws/internal/testkit"
)

// speaksAMQP10 returns a node that accepts AMQP 1.0 too. Before RabbitMQ 4 that was a plugin, which
// converts messages to AMQP 0-9-1 in another way.
func speaksAMQP10(t *testing.T) (n *testkit.Node, plugin bool) {
	t.Helper()
	if n := testkit.RabbitMQ(t); n.Version().AtLeast(4, 0) {
		return n, false
	}
	return testkit.StartRabbitMQ(t, testkit.WithPlugins("rabbitmq_amqp1_0")), true
}

// sender10 publishes with AMQP 1.0 to the exchange "test", with the routing key reply.me. It ignores the
// broker's answers.
func sender10(t *testing.T, n *testkit.Node, plugin bool, url string) func(*amqp10.Message) {
	t.Helper()
	vhost := url[strings.LastIndex(url, "/")+1:]
	conn, err := amqp10.Dial(t.Context(), fmt.Sprintf("amqp://127.0.0.1:%d", n.Port()),
		&amqp10.ConnOptions{HostName: "vhost:" + vhost, SASLType: amqp10.SASLTypePlain("guest", "guest")})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	session, err := conn.NewSession(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	address := "/exchanges/test/reply.me"
	if plugin {
		address = "/exchange/test/reply.me"
	}
	sender, err := session.NewSender(t.Context(), address, nil)
	if err != nil {
		t.Fatal(err)
	}
	return func(m *amqp10.Message) {
		t.Helper()
		ctx, cancel := context.WithTimeout(t.Context(), testkit.Patience)
		defer cancel()
		err := sender.Send(ctx, m, nil)
		if e, ok := errors.AsType[*amqp10.Error](err); ok && e.Condition == amqp10.ErrCondPreconditionFailed {
			return // an exclusive queue that is being deleted refuses it
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}

// with10 returns a message with one application property.
func with10(body string, property any) *amqp10.Message {
	m := amqp10.NewMessage([]byte(body))
	m.ApplicationProperties = map[string]any{"odd": property}
	return m
}

// hears publishes a message until the link receives it: an exclusive queue may be in its gap.
func (h *recorder) hears(t *testing.T, url string, number int) {
	t.Helper()
	ch := client(t, url)
	testkit.Eventually(t, testkit.Patience, "the link hears again", func() error {
		tryToPublish(t, ch, number)
		if slices.ContainsFunc(h.all(), func(e event) bool { return e.number == number }) {
			return nil
		}
		return fmt.Errorf("it heard %v", h.all())
	})
}

// tryToPublish publishes a message, which RabbitMQ 4 refuses while it deletes an exclusive queue.
func tryToPublish(t *testing.T, ch *amqp.Channel, number int) (taken bool) {
	t.Helper()
	text := fmt.Sprint(number)
	c, err := ch.PublishWithDeferredConfirm("test", "reply.me", false, false, amqp.Publishing{MessageId: text, Body: []byte(text)})
	if err != nil {
		t.Fatal(err)
	}
	return c.Wait()
}

// below returns the numbers below one that were heard.
func (h *recorder) below(number int) (all []int) {
	for _, e := range h.all() {
		if e.number >= 0 && e.number < number {
			all = append(all, e.number)
		}
	}
	return all
}

func TestPublishersOfAMQP10(t *testing.T) {
	t.Parallel()
	n, plugin := speaksAMQP10(t)
	t.Run("a message over which the broker fails is skipped", func(t *testing.T) { skipsPoison(t, n, plugin) })
	t.Run("what they send comes through", func(t *testing.T) { comesThrough(t, n, plugin) })
}

func skipsPoison(t *testing.T, n *testkit.Node, plugin bool) {
	for name, q := range everyKind() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			url := n.NewVHost(t)
			var h recorder
			var log lines
			w := run(t, amqpx.Config{URLs: []string{url}, Queues: []amqpx.Queue{h.of(q)}, Logger: log.logger()})
			w.await(t, true)
			ch := client(t, url)
			keepExchange(t, ch)
			send := sender10(t, n, plugin, url)
			publish(t, ch, 0, 1)
			h.hears(t, url, 2)
			began := time.Now()
			send(with10("3", amqp10.UUID{1, 2, 3}))
			for _, number := range []int{4, 5} {
				testkit.WaitUntil(t, "the broker takes it", func() bool { return tryToPublish(t, ch, number) })
			}
			send(with10("6", int64(1)))
			h.hears(t, url, 7)
			want := []int{0, 1, 2, 4, 5, 6}
			if plugin { // it leaves the properties encoded
				want = []int{0, 1, 2, 3, 4, 5, 6}
			}
			got := slices.Compact(h.below(7)) // 2 was published until it was heard
			late := log.tellLateHandover()
			if !slices.Equal(got, want) && (plugin || q.Name != "link_exclusive") && !late {
				t.Errorf("it heard %v, want %v", got, want)
			}
			if plugin {
				return
			}
			gaps := h.gaps()
			if around := slices.ContainsFunc(gaps, func(g amqpx.Gap) bool { return !g.From.After(began) && !g.To.Before(began) }); !around || len(gaps) != 1 && !late {
				t.Errorf("the gaps are %v, the message was sent at %v", gaps, began)
			}
			w.stop()
			<-w.ended
			if q.Name != "link_exclusive" && len(log.with("skipped a message that the broker cannot deliver")) == 0 {
				t.Errorf("the log has no word of it:\n%s", log.with(""))
			}
		})
	}
}

func comesThrough(t *testing.T, n *testkit.Node, plugin bool) {
	for name, q := range everyKind() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			url := n.NewVHost(t)
			got := make(chan amqpx.Delivery, 100)
			q.Bindings = []string{"reply.#"}
			q.Deliver = func(d *amqpx.Delivery) { got <- *d }
			w := run(t, amqpx.Config{URLs: []string{url}, Queues: []amqpx.Queue{q}})
			w.await(t, true)
			send := sender10(t, n, plugin, url)
			for _, v := range []any{int64(-3), uint16(60_000), "ü", true} {
				send(with10("{}", v))
				if d := testkit.Receive(t, got); d.Headers["odd"] != v || string(d.Body) != "{}" {
					t.Errorf("%v comes as %q with the headers %#v", v, d.Body, d.Headers)
				}
			}
			// RabbitMQ 4 converts it to a signed number, which looks like any other.
			var large any = int64(-1 << 63)
			if plugin {
				large = uint64(1 << 63)
			}
			send(with10("{}", uint64(1<<63)))
			if d := testkit.Receive(t, got); d.Headers["odd"] != large {
				t.Errorf("2^63 comes as %T %v", d.Headers["odd"], d.Headers["odd"])
			}
			for _, m := range []*amqp10.Message{{Value: `{"a": 1}`}, {Value: []byte(`{"a": 1}`)}, {Data: [][]byte{[]byte(`{"a"`), []byte(`: 1}`)}}} {
				send(m)
				if d := testkit.Receive(t, got); string(d.Body) != `{"a": 1}` {
					t.Errorf("%+v comes as %q", m, d.Body)
				}
			}
			for kind, m := range map[string]*amqp10.Message{"value": {Value: map[string]any{"a": int64(1)}}, "sequence": {Sequence: [][]any{{int64(1)}}}} {
				send(m)
				if d := testkit.Receive(t, got); amqpx.UndecodedBody(&d) != kind {
					t.Errorf("a %s comes as %q of type %q", kind, d.Body, d.Type)
				}
			}
			if !w.State().Up || len(w.states) > 0 {
				t.Errorf("the state is %+v, and there were %d more", w.State(), len(w.states))
			}
		})
	}
}
