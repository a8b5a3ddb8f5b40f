package actor_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/clu-ws/clu-ws/actor"
	"github.com/clu-ws/clu-ws/amqpx"
	"github.com/clu-ws/clu-ws/amqpx/broker"
	"github.com/clu-ws/clu-ws/internal/testkit"
)

// exchange is a broker with the actors and clients of one test. In a synctest bubble
// its time is virtual.
type exchange struct {
	t      *testing.T
	broker *broker.Broker
	link   amqpx.Config
	ctx    context.Context
	stop   context.CancelFunc
	tasks  sync.WaitGroup
}

// withExchange runs a test in a bubble with an embedded broker.
func withExchange(t *testing.T, test func(t *testing.T, x *exchange)) {
	t.Helper()
	testkit.Bubble(t, func(t *testing.T) {
		b := broker.New(broker.Config{})
		x := newExchange(t, amqpx.Config{URLs: []string{"amqp://guest:guest@localhost/"}, Dial: b.Dial})
		x.broker = b
		defer b.Close()
		defer x.close()
		test(t, x)
	})
}

func newExchange(t *testing.T, link amqpx.Config) *exchange {
	link.Logger = slog.New(slog.NewTextHandler(t.Output(), nil))
	x := &exchange{t: t, link: link}
	x.ctx, x.stop = context.WithCancel(context.Background())
	return x
}

// close stops all actors and clients, and waits until they have ended.
func (x *exchange) close() {
	x.stop()
	x.tasks.Wait()
}

// runner is an actor or a client.
type runner interface {
	Run(context.Context) error
	Ready(context.Context) error
}

// run runs an actor or client until the test ends or stop is called. It returns once
// that is linked.
func (x *exchange) run(r runner) (stop func()) {
	x.t.Helper()
	ctx, cancel := context.WithCancel(x.ctx)
	ended := make(chan struct{})
	x.tasks.Go(func() {
		defer close(ended)
		if err := r.Run(ctx); err != nil {
			x.t.Errorf("Run: %v", err)
		}
	})
	if err := r.Ready(x.ctx); err != nil {
		x.t.Fatal(err)
	}
	return func() {
		cancel()
		<-ended
	}
}

// actor returns an actor; prepare adds its handlers.
func (x *exchange) actor(cfg actor.Config, prepare func(*actor.Actor)) *actor.Actor {
	x.t.Helper()
	cfg.Link = x.link
	a, err := actor.New(cfg)
	if err != nil {
		x.t.Fatal(err)
	}
	if prepare != nil {
		prepare(a)
	}
	return a
}

// client runs a new client.
func (x *exchange) client() *actor.Client {
	x.t.Helper()
	c, err := actor.NewClient(actor.Config{Link: x.link})
	if err != nil {
		x.t.Fatal(err)
	}
	x.run(c)
	return c
}

// do sends a command and waits for its end.
func (x *exchange) do(c *actor.Client, consumer, commandString string) (actor.Result, error) {
	x.t.Helper()
	p, err := c.Send(x.ctx, consumer, commandString, actor.SendOptions{})
	if err != nil {
		x.t.Fatal(err)
	}
	return p.Wait(x.ctx)
}

// lines returns replies as code and body, for comparison.
func lines(replies []actor.Reply) []string {
	var all []string
	for _, r := range replies {
		all = append(all, string(r.Code)+" "+string(r.Body))
	}
	return all
}

// codesAndBodies returns messages as code and body, for comparison.
func codesAndBodies(messages []*amqpx.Delivery) []string {
	var all []string
	for _, d := range messages {
		all = append(all, fmt.Sprintf("%s %s", d.Headers["message_code"], d.Body))
	}
	return all
}

// failure returns the error as a CommandError.
func failure(t *testing.T, err error) *actor.CommandError {
	t.Helper()
	var e *actor.CommandError
	if !errors.As(err, &e) {
		t.Fatalf("the error is %v, not a CommandError", err)
	}
	return e
}

// tap records all messages on the exchange that match the patterns.
type tap struct {
	mu   sync.Mutex // guards the following field
	seen []*amqpx.Delivery
}

func (x *exchange) tap(patterns ...string) *tap {
	x.t.Helper()
	recorded := &tap{}
	x.links(amqpx.Queue{Name: "tap", Bindings: patterns, Deliver: func(d *amqpx.Delivery) {
		recorded.mu.Lock()
		defer recorded.mu.Unlock()
		recorded.seen = append(recorded.seen, d)
	}})
	return recorded
}

// links runs a link until the test ends. It returns once that is up.
func (x *exchange) links(queues ...amqpx.Queue) *amqpx.Link {
	x.t.Helper()
	cfg := x.link
	cfg.Name = "test"
	cfg.Exchange = actor.Exchange
	cfg.Queues = queues
	up := make(chan struct{})
	first := sync.OnceFunc(func() { close(up) })
	cfg.OnState = func(s amqpx.State) {
		if s.Up {
			first()
		}
	}
	link, err := amqpx.New(cfg)
	if err != nil {
		x.t.Fatal(err)
	}
	x.tasks.Go(func() { _ = link.Run(x.ctx) })
	<-up
	return link
}

// take waits until no goroutine can run, and returns the messages since the last call.
func (h *tap) take() []*amqpx.Delivery {
	synctest.Wait()
	h.mu.Lock()
	defer h.mu.Unlock()
	seen := h.seen
	h.seen = nil
	return seen
}

// publish publishes a message on a link and returns the outcome.
func (x *exchange) publish(l *amqpx.Link, msg amqpx.Message) amqpx.Outcome {
	x.t.Helper()
	outcome := make(chan amqpx.Outcome, 1)
	if err := l.Publish(msg, func(o amqpx.Outcome) { outcome <- o }); err != nil {
		x.t.Fatal(err)
	}
	return <-outcome
}
