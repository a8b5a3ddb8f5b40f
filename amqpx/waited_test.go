package amqpx_test

import (
	"testing"
	"time"

	"github.com/clu-ws/clu-ws/amqpx"
	"github.com/clu-ws/clu-ws/internal/testkit"
)

// waiting returns a queue that sends what it gets to a channel, and how it came.
func waiting(q amqpx.Queue, got chan<- string) amqpx.Queue {
	q.Bindings = []string{"reply.#"}
	q.Deliver = func(d *amqpx.Delivery) { got <- "now " + string(d.Body) }
	q.DeliverWaited = func(d *amqpx.Delivery) { got <- "waited " + string(d.Body) }
	return q
}

func TestAMessageThatWaitedWhileTheLinkWasDownIsDeliveredAsSuch(t *testing.T) {
	t.Parallel()
	for name, q := range map[string]amqpx.Queue{"a kept queue": keptFor(time.Minute), "a stream": history("link", 10)} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			url := testkit.RabbitMQ(t).NewVHost(t)
			ch := client(t, url)
			got := make(chan string, 100)
			w := run(t, amqpx.Config{URLs: []string{url}, Queues: []amqpx.Queue{waiting(q, got)}})
			w.await(t, true)
			publish(t, ch, 0)
			expect := func(want ...string) {
				t.Helper()
				for _, text := range want {
					if is := testkit.Receive(t, got); is != text {
						t.Errorf("it got %q, want %q", is, text)
					}
				}
			}
			expect("now 0")
			if q.Stream == nil {
				awaitAcknowledged(t, testkit.RabbitMQ(t), vhostOf(url))
			}
			w.stop()
			testkit.Await(t, w.ended)
			publish(t, ch, 1, 2)
			w = run(t, amqpx.Config{URLs: []string{url}, Queues: []amqpx.Queue{waiting(q, got)}})
			w.await(t, true)
			if q.Stream != nil {
				expect("waited 0") // of its backlog
			}
			expect("waited 1", "waited 2")
			publish(t, ch, 3)
			expect("now 3")
		})
	}
}
