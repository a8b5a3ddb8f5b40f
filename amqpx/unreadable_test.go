package amqpx_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"

	"github.com/clu-ws/clu-ws/amqpx"
	"github.com/clu-ws/clu-ws/internal/testkit"
)

// publishWith publishes a number with headers, and does not mind what becomes of it.
func publishWith(t *testing.T, url string, number int, headers amqp.Table) {
	t.Helper()
	text := fmt.Sprint(number)
	c, err := client(t, url).PublishWithDeferredConfirm("test", "reply.me", false, false, amqp.Publishing{MessageId: text, Body: []byte(text), Headers: headers})
	if err != nil {
		t.Fatal(err)
	}
	c.Wait()
}

// tooMany are more headers than the library reads.
func tooMany() amqp.Table {
	headers := amqp.Table{}
	for i := range 8200 {
		headers[fmt.Sprint(i)] = nil
	}
	return headers
}

// keepExchange binds a queue of the test's own, so that the exchange outlives the link's.
func keepExchange(t *testing.T, ch *amqp.Channel) {
	t.Helper()
	q, err := ch.QueueDeclare("", false, true, true, false, nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := ch.QueueBind(q.Name, "command.test", "test", false, nil); err != nil {
		t.Fatal(err)
	}
}

func everyKind() map[string]amqpx.Queue {
	return map[string]amqpx.Queue{"exclusive": {Name: "link_exclusive"}, "kept": keptFor(time.Minute), "stream": history("link_reads", 0)}
}

func TestAMessageThatCannotBeReadIsLeftOutAndWhatFollowsComes(t *testing.T) {
	t.Parallel()
	for name, q := range everyKind() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			url := testkit.RabbitMQ(t).NewVHost(t)
			var h heard
			w := run(t, amqpx.Config{URLs: []string{url}, Queues: []amqpx.Queue{h.of(q)}})
			w.await(t, true)
			ch := client(t, url)
			keepExchange(t, ch)
			publish(t, ch, 0, 1, 2)
			publishWith(t, url, 3, tooMany())
			publish(t, ch, 4, 5, 6) // with an exclusive queue they may be in the gap
			for s := (amqpx.State{}); s.Err == nil; s = receive(t, w.states) {
			}
			if err := w.State().Err; err != nil && !strings.Contains(err.Error(), "cannot be read") {
				t.Error(err)
			}
			testkit.Eventually(t, patience, "the link hears again", func() error {
				publish(t, ch, 7)
				for _, e := range h.all() {
					if e.number == 7 {
						return nil
					}
				}
				return fmt.Errorf("it heard %v", h.all())
			})
			var got []int
			for _, e := range h.all() {
				if e.number >= 0 && e.number < 7 {
					got = append(got, e.number)
				}
			}
			if want := []int{0, 1, 2, 4, 5, 6}; q.Name != "link_exclusive" && fmt.Sprint(got) != fmt.Sprint(want) {
				t.Errorf("it heard %v, want %v", got, want)
			}
			if gaps := h.gaps(); (len(gaps) == 0) != (q.Name != "link_exclusive") {
				t.Errorf("the gaps are %v", gaps)
			}
		})
	}
}

func TestHeadersOfEveryTypeOfAMQPComeThrough(t *testing.T) {
	t.Parallel()
	for name, q := range everyKind() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			url := testkit.RabbitMQ(t).NewVHost(t)
			var h heard
			w := run(t, amqpx.Config{URLs: []string{url}, Queues: []amqpx.Queue{h.of(q)}})
			w.await(t, true)
			for i, v := range []any{amqp.Decimal{Scale: 2, Value: -314}, int8(-2), byte(200), uint16(60_000), uint32(1 << 31), float32(1.5),
				time.Unix(1<<60, 0), []byte{0, 255}, "\xff", []any{amqp.Decimal{}, nil}, amqp.Table{"x": amqp.Decimal{}}} {
				publishWith(t, url, i, amqp.Table{"odd": v})
			}
			publish(t, client(t, url), 11)
			want := numbers(0, 11)
			if q.Stream != nil { // RabbitMQ refuses a decimal that is to go into a stream
				want = append([]event{live}, numbers(1, 11)...)
			}
			h.expect(t, want...)
			if !w.State().Up {
				t.Errorf("the state is %+v", w.State())
			}
		})
	}
}
