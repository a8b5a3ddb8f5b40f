package amqpx_test

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"

	"github.com/clu-ws/clu-ws/amqpx"
	"github.com/clu-ws/clu-ws/amqpx/broker"
	"github.com/clu-ws/clu-ws/internal/testkit"
)

func TestMain(m *testing.M) { testkit.Main(m) }

// node is a broker that a test may disturb.
type node interface {
	url() string
	drop(t *testing.T)  // breaks every connection
	stop(t *testing.T)  // stops, and forgets everything
	start(t *testing.T) // starts again
}

type rabbit struct{ *testkit.Node }

func (r rabbit) url() string        { return r.URL() }
func (r rabbit) drop(t *testing.T)  { r.CloseConnections(t) }
func (r rabbit) stop(t *testing.T)  { r.Stop(t) }
func (r rabbit) start(t *testing.T) { r.Start(t) }

type embedded struct {
	addr   string
	config broker.Config
	broker *broker.Broker
	served sync.WaitGroup
}

func newEmbedded(t *testing.T) *embedded {
	return newEmbeddedWith(t, broker.Config{})
}

func newEmbeddedWith(t *testing.T, config broker.Config) *embedded {
	// A port that nothing else takes while the broker is stopped.
	e := &embedded{addr: fmt.Sprintf("127.0.0.1:%d", testkit.FreePort(t)), config: config}
	e.start(t)
	t.Cleanup(func() { e.stop(t) })
	return e
}

func (e *embedded) start(t *testing.T) {
	t.Helper()
	ln, err := net.Listen("tcp", e.addr)
	if err != nil {
		t.Fatal(err)
	}
	e.addr = ln.Addr().String()
	b := broker.New(e.config)
	e.broker = b
	e.served.Go(func() { _ = b.Serve(ln) })
}

func (e *embedded) stop(*testing.T) { e.broker.Close(); e.served.Wait() }
func (e *embedded) drop(*testing.T) { e.broker.DropConnections() }
func (e *embedded) url() string     { return "amqp://guest:guest@" + e.addr + "/" }

// onEachBroker runs a test, in parallel, on the embedded broker and on a RabbitMQ of its own.
func onEachBroker(t *testing.T, test func(t *testing.T, n node)) {
	t.Parallel()
	t.Run("embedded", func(t *testing.T) { test(t, newEmbedded(t)) })
	t.Run("RabbitMQ", func(t *testing.T) { test(t, rabbit{testkit.StartRabbitMQ(t)}) })
}

// watched is a running link and what it reports.
type watched struct {
	*amqpx.Link
	states     chan amqpx.State
	deliveries chan string
	stop       context.CancelFunc
	ended      chan struct{}
}

// unhurried is a PublishTimeout within which a busy broker confirms what it has.
const unhurried = 10 * time.Second

func run(t *testing.T, cfg amqpx.Config) *watched {
	t.Helper()
	w := &watched{
		states:     make(chan amqpx.State, 1000),
		deliveries: make(chan string, 100_000),
		ended:      make(chan struct{}),
	}
	cfg.Name, cfg.Exchange = "link", "test"
	cfg.OnState = func(s amqpx.State) { w.states <- s }
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	if cfg.Queues == nil {
		if cfg.PublishTimeout == 0 {
			cfg.PublishTimeout = unhurried
		}
		cfg.Queues = []amqpx.Queue{{Name: "link_replies", Bindings: []string{"reply.#"},
			Deliver: func(d *amqpx.Delivery) { w.deliveries <- string(d.Body) }}}
	}
	var err error
	if w.Link, err = amqpx.New(cfg); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	w.stop = cancel
	go func() {
		defer close(w.ended)
		if err := w.Run(ctx); err != nil {
			t.Error(err)
		}
	}()
	t.Cleanup(func() { cancel(); <-w.ended })
	return w
}

func (w *watched) await(t *testing.T, up bool) {
	t.Helper()
	for deadline := time.After(testkit.Patience); ; {
		select {
		case s := <-w.states:
			if s.Up == up {
				return
			}
		case <-deadline:
			t.Fatalf("the link never became up=%v", up)
		}
	}
}

// send publishes one message and returns the channel of its outcome.
func (w *watched) send(t *testing.T, key, id string) <-chan amqpx.Outcome {
	t.Helper()
	outcome := make(chan amqpx.Outcome, 2)
	err := w.Publish(amqpx.Message{Key: key, Mandatory: true, Publishing: amqpx.Publishing{MessageId: id, Body: []byte(id)}},
		func(o amqpx.Outcome) { outcome <- o })
	if err != nil {
		t.Fatal(err)
	}
	return outcome
}

func TestEachOfManyPublishesHasItsOwnOutcome(t *testing.T) {
	onEachBroker(t, func(t *testing.T, n node) {
		w := run(t, amqpx.Config{URLs: []string{n.url()}, MaxInFlight: 100, MaxPending: 2000})
		w.await(t, true)
		const count = 1500
		var outcomes []<-chan amqpx.Outcome
		for i := range count {
			key := "reply.someone"
			if i%3 == 0 {
				key = "command.nobody"
			}
			outcomes = append(outcomes, w.send(t, key, fmt.Sprint(i)))
		}
		for i, o := range outcomes {
			want := amqpx.Confirmed
			if i%3 == 0 {
				want = amqpx.Returned
			}
			if got := testkit.Receive(t, o); got != want {
				t.Fatalf("message %d was %v, want %v", i, got, want)
			}
		}
		for i := range count {
			if i%3 != 0 {
				if got := testkit.Receive(t, w.deliveries); got != fmt.Sprint(i) {
					t.Fatalf("%s came in place of %d", got, i)
				}
			}
		}
	})
}

func TestANackDoesNotSayThatNoQueueHasTheMessage(t *testing.T) {
	t.Parallel()
	url := testkit.RabbitMQ(t).NewVHost(t)
	w := run(t, amqpx.Config{URLs: []string{url}})
	w.await(t, true)
	ch := testkit.OpenChannel(t, url)
	full := amqp.Table{"x-max-length": 0, "x-overflow": "reject-publish"}
	if _, err := ch.QueueDeclare("full", false, true, true, false, full); err != nil {
		t.Fatal(err)
	}
	if err := ch.QueueBind("full", "#", "test", false, nil); err != nil {
		t.Fatal(err)
	}
	if got := testkit.Receive(t, w.send(t, "reply.me", "kept")); got != amqpx.Refused || !got.InDoubt() {
		t.Errorf("refused by one queue of two: %v", got)
	}
	if got := testkit.Receive(t, w.deliveries); got != "kept" {
		t.Errorf("%q came", got)
	}
}

func TestALinkComesBackWithItsTopology(t *testing.T) {
	onEachBroker(t, func(t *testing.T, n node) {
		w := run(t, amqpx.Config{URLs: []string{n.url()}})
		w.await(t, true)
		for i, disturb := range []func(*testing.T){n.drop, func(t *testing.T) { n.stop(t); n.start(t) }} {
			disturb(t)
			w.await(t, false)
			w.await(t, true)
			id := fmt.Sprint("after disturbance ", i)
			if o := testkit.Receive(t, w.send(t, "reply.me", id)); o != amqpx.Confirmed {
				t.Fatalf("%s: %v", id, o)
			}
			if got := testkit.Receive(t, w.deliveries); got != id {
				t.Fatalf("%q came in place of %q", got, id)
			}
		}
	})
}

func TestAMessageIsNeverKeptForALaterConnection(t *testing.T) {
	onEachBroker(t, func(t *testing.T, n node) {
		w := run(t, amqpx.Config{URLs: []string{n.url()}})
		w.await(t, true)
		n.stop(t)
		w.await(t, false)
		if o := testkit.Receive(t, w.send(t, "reply.me", "lost")); o != amqpx.Disconnected {
			t.Errorf("published without a broker: %v", o)
		}
		n.start(t)
		w.await(t, true)
		testkit.Await(t, w.send(t, "reply.me", "kept"))
		if got := testkit.Receive(t, w.deliveries); got != "kept" {
			t.Fatalf("%q was sent late", got)
		}
	})
}

func TestABrokerThatStallsLeavesWhatWasSentUnknown(t *testing.T) {
	t.Parallel()
	n := testkit.StartRabbitMQ(t)
	// No heartbeat ends the link.
	w := run(t, amqpx.Config{URLs: []string{n.URL()}, MaxInFlight: 1, PublishTimeout: 500 * time.Millisecond, Heartbeat: time.Hour})
	w.await(t, true)
	n.Pause(t)
	sent, waiting := w.send(t, "reply.me", "a"), w.send(t, "reply.me", "b")
	if got := testkit.Receive(t, sent); got != amqpx.Unknown {
		t.Errorf("sent to a stalled broker: %v", got)
	}
	if got := testkit.Receive(t, waiting); got != amqpx.Expired {
		t.Errorf("waiting for a stalled broker: %v", got)
	}
	n.Resume(t)
	if got := testkit.Receive(t, w.deliveries); got != "a" {
		t.Errorf("%q came in place of what was in the network", got)
	}
	testkit.WaitUntil(t, "the broker confirms in time", func() bool {
		return testkit.Receive(t, w.send(t, "reply.me", "c")) == amqpx.Confirmed
	})
	if got := testkit.Receive(t, w.deliveries); got != "c" {
		t.Errorf("%q was sent late", got)
	}
}

func TestABrokerShortOfMemoryRefusesCommandsAtOnce(t *testing.T) {
	t.Parallel()
	n := testkit.StartRabbitMQ(t)
	w := run(t, amqpx.Config{URLs: []string{n.URL()}})
	w.await(t, true)
	n.SetMemoryAlarm(t, true)
	// RabbitMQ announces that it blocks at the next publish.
	w.send(t, "reply.me", "first")
	for deadline := time.After(testkit.Patience); ; {
		select {
		case s := <-w.states:
			if s.Blocked == "" {
				continue
			}
		case <-deadline:
			t.Fatal("the link never reported that it is blocked")
		}
		break
	}
	if got := testkit.Receive(t, w.send(t, "reply.me", "second")); got != amqpx.Blocked {
		t.Errorf("published while blocked: %v", got)
	}
	n.SetMemoryAlarm(t, false)
	for s := testkit.Receive(t, w.states); s.Blocked != ""; s = testkit.Receive(t, w.states) {
	}
	if got := testkit.Receive(t, w.send(t, "reply.me", "third")); got != amqpx.Confirmed {
		t.Errorf("published after that: %v", got)
	}
}

func TestStoppingFinishesWhatWasPublished(t *testing.T) {
	e := newEmbedded(t)
	w := run(t, amqpx.Config{URLs: []string{e.url()}, MaxPending: 1000})
	w.await(t, true)
	var outcomes []<-chan amqpx.Outcome
	for i := range 900 {
		outcomes = append(outcomes, w.send(t, "reply.me", fmt.Sprint(i)))
	}
	w.stop()
	<-w.ended
	for i, o := range outcomes {
		if got := testkit.Receive(t, o); got != amqpx.Confirmed {
			t.Fatalf("message %d: %v", i, got)
		}
	}
	if got := testkit.Receive(t, w.send(t, "reply.me", "late")); got != amqpx.Disconnected {
		t.Errorf("published after the end: %v", got)
	}
}

func TestTheNextAddressIsTriedWhenOneFails(t *testing.T) {
	e := newEmbedded(t)
	w := run(t, amqpx.Config{URLs: []string{"amqp://guest:guest@127.0.0.1:1/", e.url()}})
	w.await(t, true)
	if got := w.State().Broker; got != "amqp://"+e.addr+"/" {
		t.Errorf("linked to %s", got)
	}
}

func TestFailFastEndsWhenNoAddressAnswers(t *testing.T) {
	link, err := amqpx.New(amqpx.Config{URLs: []string{"amqp://127.0.0.1:1/", "amqp://127.0.0.1:2/"}, Exchange: "x", FailFast: true, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	if err := link.Run(t.Context()); err == nil || !strings.Contains(err.Error(), "127.0.0.1:2") {
		t.Errorf("the error is %v", err)
	}
}

func TestAReceiverThatPanicsLosesOnlyThatMessage(t *testing.T) {
	e := newEmbedded(t)
	got := make(chan string, 10)
	w := run(t, amqpx.Config{URLs: []string{e.url()}, Queues: []amqpx.Queue{{Name: "q", Bindings: []string{"#"}, Deliver: func(d *amqpx.Delivery) {
		if string(d.Body) == "poison" {
			panic("poison")
		}
		got <- string(d.Body)
	}}}})
	w.await(t, true)
	w.send(t, "x", "poison")
	w.send(t, "x", "good")
	if m := testkit.Receive(t, got); m != "good" {
		t.Errorf("got %q", m)
	}
}

func TestAnExchangeOfAnotherTypeIsNamed(t *testing.T) {
	onEachBroker(t, func(t *testing.T, n node) {
		ch := testkit.OpenChannel(t, n.url())
		if err := ch.ExchangeDeclare("test", "fanout", false, true, false, false, nil); err != nil {
			t.Fatal(err)
		}
		w := run(t, amqpx.Config{URLs: []string{n.url()}})
		if s := testkit.Receive(t, w.states); s.Up || !strings.Contains(s.Err.Error(), "other flags than topic, not durable, auto-delete") {
			t.Errorf("the state is %+v", s)
		}
	})
}

func TestALinkOverTLSVerifiesTheBroker(t *testing.T) {
	t.Parallel()
	n := testkit.StartRabbitMQ(t, testkit.WithClientCertificates())
	w := run(t, amqpx.Config{URLs: []string{n.TLSURL()}, TLS: n.TLS.ClientConfig(t)})
	w.await(t, true)
	stranger := run(t, amqpx.Config{URLs: []string{n.TLSURL()}})
	if s := testkit.Receive(t, stranger.states); s.Up || !strings.Contains(s.Err.Error(), "certificate") {
		t.Errorf("the state is %+v", s)
	}
}
