package amqpx_test

import (
	"fmt"
	"testing"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"

	"github.com/clu-ws/clu-ws/amqpx"
	"github.com/clu-ws/clu-ws/internal/testkit"
)

// tapped is a running link that receives every message itself, as a tap does, and checks for the queues
// that its messages need.
func tapped(t *testing.T, url string, adjust ...func(*amqpx.Config)) *watched {
	t.Helper()
	deliveries := make(chan string, 1000)
	cfg := amqpx.Config{URLs: []string{url}, CheckQueues: true, PublishTimeout: unhurried, Queues: []amqpx.Queue{{Name: "tap", Bindings: []string{"command.#"},
		Deliver: func(d *amqpx.Delivery) { deliveries <- d.MessageId }}}}
	for _, f := range adjust {
		f(&cfg)
	}
	w := run(t, cfg)
	w.deliveries = deliveries
	w.await(t, true)
	return w
}

// sendTo publishes a message that needs one of the queues.
func (w *watched) sendTo(t *testing.T, id string, queues ...string) <-chan amqpx.Outcome {
	t.Helper()
	outcome := make(chan amqpx.Outcome, 2)
	err := w.Publish(amqpx.Message{Key: "command.x", Mandatory: true, Needs: queues, Publishing: amqpx.Publishing{MessageId: id}},
		func(o amqpx.Outcome) { outcome <- o })
	if err != nil {
		t.Fatal(err)
	}
	return outcome
}

func onEachVHost(t *testing.T, test func(t *testing.T, url string)) {
	t.Run("embedded", func(t *testing.T) { test(t, newEmbedded(t).url()) })
	t.Run("RabbitMQ", func(t *testing.T) { test(t, testkit.RabbitMQ(t).NewVHost(t)) })
}

func declare(t *testing.T, ch *amqp.Channel, name string, exclusive bool) {
	t.Helper()
	if _, err := ch.QueueDeclare(name, false, false, exclusive, false, nil); err != nil {
		t.Fatal(err)
	}
}

func TestAMessageWhoseQueueIsMissingIsNotSentAndTheOthersKeepTheirOrder(t *testing.T) {
	onEachVHost(t, func(t *testing.T, url string) {
		ch := testkit.OpenChannel(t, url)
		declare(t, ch, "shared", false)
		declare(t, ch, "exclusive", true)
		w := tapped(t, url)
		var outcomes []<-chan amqpx.Outcome
		for i := range 200 {
			needs := [][]string{{"shared"}, {"missing"}, {"missing", "exclusive"}, nil}[i%4]
			outcomes = append(outcomes, w.sendTo(t, fmt.Sprint(i), needs...))
		}
		for i, o := range outcomes {
			want := amqpx.Confirmed
			if i%4 == 1 {
				want = amqpx.Returned
			}
			if got := testkit.Receive(t, o); got != want {
				t.Errorf("message %d: %v, want %v", i, got, want)
			}
			if want == amqpx.Confirmed {
				if got := testkit.Receive(t, w.deliveries); got != fmt.Sprint(i) {
					t.Fatalf("%s came in place of %d", got, i)
				}
			}
		}
	})
}

func TestAQueueThatComesOrGoesIsNoticed(t *testing.T) {
	onEachVHost(t, func(t *testing.T, url string) {
		ch := testkit.OpenChannel(t, url)
		w := tapped(t, url)
		becomes := func(want amqpx.Outcome) {
			t.Helper()
			testkit.Eventually(t, testkit.Patience, "the queue is noticed", func() error {
				if got := testkit.Receive(t, w.sendTo(t, "m", "queue")); got != want {
					return fmt.Errorf("%v", got)
				}
				return nil
			})
		}
		becomes(amqpx.Returned)
		declare(t, ch, "queue", true)
		becomes(amqpx.Confirmed)
		if _, err := ch.QueueDelete("queue", false, false, false); err != nil {
			t.Fatal(err)
		}
		becomes(amqpx.Returned)
	})
}

func TestWithoutCheckQueuesNoQueueIsChecked(t *testing.T) {
	w := tapped(t, newEmbedded(t).url(), func(c *amqpx.Config) { c.CheckQueues = false })
	if got := testkit.Receive(t, w.sendTo(t, "m", "missing")); got != amqpx.Confirmed {
		t.Errorf("with a queue missing: %v", got)
	}
}

func TestAMessageEndsAtItsDeadlineWhileItsQueueIsChecked(t *testing.T) {
	e := newEmbedded(t)
	declare(t, testkit.OpenChannel(t, e.url()), "queue", false)
	p := newProxy(t, e.addr)
	w := tapped(t, p.url(), func(c *amqpx.Config) { c.PublishTimeout = 200 * time.Millisecond })
	p.stall(0) // the consuming connection, on which queues are checked
	for _, o := range []<-chan amqpx.Outcome{w.sendTo(t, "a", "queue"), w.sendTo(t, "b", "queue")} {
		if got := testkit.Receive(t, o); got != amqpx.Expired {
			t.Errorf("nobody answered, and it was %v", got)
		}
	}
}

func TestWhatExpiredWhileItsQueueWasCheckedIsNotSent(t *testing.T) {
	t.Parallel()
	n := testkit.StartRabbitMQ(t)
	declare(t, testkit.OpenChannel(t, n.URL()), "queue", false)
	w := tapped(t, n.URL(), func(c *amqpx.Config) { c.PublishTimeout = 200 * time.Millisecond })
	n.Pause(t)
	if got := testkit.Receive(t, w.sendTo(t, "late", "queue")); got != amqpx.Expired {
		t.Errorf("it was %v", got)
	}
	n.Resume(t)
	testkit.Eventually(t, testkit.Patience, "the broker goes on", func() error {
		if got := testkit.Receive(t, w.sendTo(t, "next", "queue")); got != amqpx.Confirmed {
			return fmt.Errorf("%v", got)
		}
		return nil
	})
	if got := testkit.Receive(t, w.deliveries); got != "next" {
		t.Errorf("%q was sent late", got)
	}
}

func TestABrokerThatBlocksPublishersStillChecksQueues(t *testing.T) {
	t.Parallel()
	n := testkit.StartRabbitMQ(t)
	w := tapped(t, n.URL())
	n.SetMemoryAlarm(t, true)
	if got := testkit.Receive(t, w.sendTo(t, "m", "missing")); got != amqpx.Returned {
		t.Errorf("it was %v", got)
	}
}
