package amqpx_test

import (
	"encoding/binary"
	"fmt"
	"log/slog"
	"net"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"

	"github.com/clu-ws/clu-ws/amqpx"
	"github.com/clu-ws/clu-ws/internal/testkit"
)

// publishWith publishes a number with headers, and ignores its outcome.
func publishWith(t *testing.T, url string, number int, headers amqp.Table) {
	t.Helper()
	text := fmt.Sprint(number)
	c, err := client(t, url).PublishWithDeferredConfirm("test", "reply.me", false, false, amqp.Publishing{MessageId: text, Body: []byte(text), Headers: headers})
	if err != nil {
		t.Fatal(err)
	}
	c.Wait()
}

// tooMany returns more headers than the library reads.
func tooMany() amqp.Table {
	headers := amqp.Table{}
	for i := range 8200 {
		headers[fmt.Sprint(i)] = nil
	}
	return headers
}

// keepExchange binds a queue of the test, so that the exchange outlives the link's queue.
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

func TestOnlyThePoisonMessageIsDropped(t *testing.T) {
	t.Parallel()
	for name, q := range everyKind() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			url := testkit.RabbitMQ(t).NewVHost(t)
			var h recorder
			lines := make(logged, 100)
			w := run(t, amqpx.Config{URLs: []string{url}, Queues: []amqpx.Queue{h.of(q)}, Logger: slog.New(slog.NewTextHandler(lines, nil))})
			w.await(t, true)
			ch := client(t, url)
			publish(t, ch, 0, 1, 2)
			publishWith(t, url, 3, tooMany())
			publish(t, ch, 4, 5)
			want := append(numbers(0, 2), numbers(4, 5)...)
			if q.Stream != nil {
				want = append([]event{live}, want...)
			}
			h.expect(t, want...)
			if !w.State().Up || len(w.states) > 0 {
				t.Errorf("the state is %+v, and there were %d more", w.State(), len(w.states))
			}
			for line := ""; !strings.Contains(line, "dropped a message that cannot be read"); {
				line = testkit.Receive(t, lines)
			}
		})
	}
}

// rawField publishes a message with handmade frames, because the library writes no type that it
// does not read. It waits for the confirm; false means that the broker refused the message.
func rawField(t *testing.T, url string, number int, field []byte) bool {
	t.Helper()
	var raw net.Conn
	conn, err := amqp.DialConfig(url, amqp.Config{Dial: func(network, addr string) (net.Conn, error) {
		c, err := amqp.DefaultDial(testkit.Patience)(network, addr)
		raw = c
		return c, err
	}})
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	ch, err := conn.Channel()
	if err != nil {
		t.Fatal(err)
	}
	if err := ch.Confirm(false); err != nil {
		t.Fatal(err)
	}
	confirms, closed := ch.NotifyPublish(make(chan amqp.Confirmation, 1)), conn.NotifyClose(make(chan *amqp.Error, 1))
	long := func(b []byte) []byte { return append(binary.BigEndian.AppendUint32(nil, uint32(len(b))), b...) }
	frame := func(kind byte, payload []byte) []byte {
		return slices.Concat([]byte{kind, 0, 1}, long(payload), []byte{0xce})
	}
	body := []byte(fmt.Sprint(number))
	method := slices.Concat([]byte{0, 60, 0, 40, 0, 0}, []byte("\x04test"), []byte("\x08reply.me"), []byte{0})
	header := slices.Concat([]byte{0, 60, 0, 0}, binary.BigEndian.AppendUint64(nil, uint64(len(body))), []byte{0x20, 0}, long(slices.Concat([]byte("\x03odd"), field)))
	if _, err := raw.Write(slices.Concat(frame(1, method), frame(2, header), frame(3, body))); err != nil {
		t.Fatal(err)
	}
	select {
	case c := <-confirms:
		return c.Ack
	case <-closed:
		return false
	case <-time.After(testkit.Patience):
		t.Fatal("the broker neither confirms the message nor refuses it")
		return false
	}
}

func TestFieldsThatTheLibraryDoesNotKnowAreDelivered(t *testing.T) {
	t.Parallel()
	cases := []struct {
		field string
		want  any
	}{
		{"L\x00\x00\x00\x00\x80\x00\x00\x00", int64(1 << 31)},
		{"L\xff\xff\xff\xff\xff\xff\xff\xfe", int64(-2)},
		{"A\x00\x00\x00\x10F\x00\x00\x00\x0b\x01nL\x00\x00\x00\x00\x00\x00\x00\x05", []any{amqpx.Table{"n": int64(5)}}},
		{"u\xea\x60", uint16(60_000)},
		{"i\x80\x00\x00\x00", uint32(1 << 31)},
		{"U\xff\xfe", int16(-2)}, // RabbitMQ does not relay it
	}
	check := func(t *testing.T, url string, q amqpx.Queue) {
		got := make(chan amqpx.Delivery, 100)
		q.Bindings = []string{"reply.#"}
		q.Deliver = func(d *amqpx.Delivery) { got <- *d }
		w := run(t, amqpx.Config{URLs: []string{url}, Queues: []amqpx.Queue{q}})
		w.await(t, true)
		keepExchange(t, client(t, url))
		for i, c := range cases {
			if !rawField(t, url, i, []byte(c.field)) {
				if c.field[0] != 'U' {
					t.Errorf("the broker refuses %q", c.field)
				}
				continue
			}
			d := testkit.Receive(t, got)
			if q.Stream != nil && i == 2 {
				continue // it takes lists for something else
			}
			if string(d.Body) != fmt.Sprint(i) || !reflect.DeepEqual(d.Headers["odd"], c.want) {
				t.Errorf("%q comes as %v with the headers %#v", c.field, string(d.Body), d.Headers)
			}
		}
		if !w.State().Up || len(w.states) > 0 {
			t.Errorf("the state is %+v, and there were %d more", w.State(), len(w.states))
		}
	}
	for name, q := range everyKind() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			check(t, testkit.RabbitMQ(t).NewVHost(t), q)
		})
	}
	t.Run("embedded", func(t *testing.T) {
		t.Parallel()
		check(t, newEmbedded(t).url(), amqpx.Queue{Name: "link_replies"})
	})
}

func TestHeadersOfEveryAMQPTypeAreDelivered(t *testing.T) {
	t.Parallel()
	for name, q := range everyKind() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			url := testkit.RabbitMQ(t).NewVHost(t)
			var h recorder
			w := run(t, amqpx.Config{URLs: []string{url}, Queues: []amqpx.Queue{h.of(q)}})
			w.await(t, true)
			for i, v := range []any{amqp.Decimal{Scale: 2, Value: -314}, int8(-2), byte(200), uint16(60_000), uint32(1 << 31), float32(1.5),
				time.Unix(1<<60, 0), []byte{0, 255}, "\xff", []any{amqp.Decimal{}, nil}, amqp.Table{"x": amqp.Decimal{}}} {
				publishWith(t, url, i, amqp.Table{"odd": v})
			}
			publish(t, client(t, url), 11)
			want := numbers(0, 11)
			if q.Stream != nil { // RabbitMQ refuses a decimal for a stream
				want = append([]event{live}, numbers(1, 11)...)
			}
			h.expect(t, want...)
			if !w.State().Up {
				t.Errorf("the state is %+v", w.State())
			}
		})
	}
}
