package chaos

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net"
	"testing"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"

	"github.com/clu-ws/clu-ws/actor"
	"github.com/clu-ws/clu-ws/amqpx"
	"github.com/clu-ws/clu-ws/amqpx/broker"
	"github.com/clu-ws/clu-ws/bridge"
	"github.com/clu-ws/clu-ws/bridge/hub"
	"github.com/clu-ws/clu-ws/conformance"
	"github.com/clu-ws/clu-ws/internal/testkit"
)

// How much there is to lose.
const (
	broadcasts = 5_000
	commands   = 100
)

// Run lets a client go through the chaos of a seed. The driver stays open.
func Run(t *testing.T, d *conformance.Driver, seed uint64) {
	t.Helper()
	world := start(t)
	proxy := testkit.StartChaosProxy(t, world.addr, seed)
	j := newJudge(world)
	call(t, d, conformance.Message{"call": "connect", "url": "ws://" + proxy.Addr + "/"})
	call(t, d, conformance.Message{"call": "subscribe", "as": "s", "filter": conformance.Message{"sender": "weather"}, "snapshot": false})
	await(t, d, j, "the subscription", func() bool { return j.subscribed })
	for n := 1; n <= broadcasts; n++ {
		world.broadcast(t, n)
		if n%(broadcasts/commands) == 0 {
			j.sent++
			call(t, d, conformance.Message{"call": "send", "as": name(j.sent), "consumer": "dome", "command_string": "open", "command_id": name(j.sent)})
		}
		if n%10 == 0 { // the client keeps up, so that the faults are all along the way
			await(t, d, j, fmt.Sprintf("the broadcast %d", n), func() bool { return j.last >= n-100 })
		}
	}
	cuts, stalls := proxy.Faults()
	proxy.Calm()
	world.broadcast(t, broadcasts+1)
	await(t, d, j, "the last broadcast", func() bool { return j.last == broadcasts+1 })
	await(t, d, j, "the end of each command", j.settled)
	call(t, d, conformance.Message{"call": "close"})
	await(t, d, j, "the end of the client", func() bool { return j.closed })
	j.verdict(t)
	if cuts < 5 {
		t.Errorf("%d connections were cut, which proves little", cuts)
	}
	t.Logf("seed %d: %d connections were cut, %d stalled; %s", seed, cuts, stalls, j.summary())
}

func name(n int) string { return fmt.Sprintf("c%d", n) }

func call(t *testing.T, d *conformance.Driver, m conformance.Message) {
	t.Helper()
	if err := d.Call(m); err != nil {
		t.Fatal(err)
	}
}

// await hands the judge what the client shows until a condition holds.
func await(t *testing.T, d *conformance.Driver, j *judge, what string, holds func() bool) {
	t.Helper()
	patience := time.NewTimer(2 * testkit.Patience)
	defer patience.Stop()
	for !holds() {
		select {
		case event, ok := <-d.Events():
			if !ok {
				t.Fatalf("the driver has ended; waiting for %s", what)
			}
			j.event(event)
		case id := <-j.world.got:
			j.got[id]++
		case <-patience.C:
			t.Fatalf("waited for %s: %s", what, j.summary())
		}
	}
}

// world is a broker, a bridge and an actor.
type world struct {
	addr string
	ch   *amqp.Channel
	got  chan string // ids of the commands that the actor got
}

func start(t *testing.T) *world {
	t.Helper()
	url := serveBroker(t)
	w := &world{got: make(chan string, 10*commands)}
	up := make(chan struct{}, 100)
	b, err := bridge.New(bridge.Config{
		Name: "bridge", Broker: []string{url}, Logger: slog.New(slog.DiscardHandler),
		History: hub.History{Replies: 100_000, Bytes: 256 << 20, Age: time.Hour},
		OnLink: func(s amqpx.State) {
			if s.Up {
				up <- struct{}{}
			}
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	w.addr = ln.Addr().String()
	if err := b.Listen(ln); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- b.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	testkit.Await(t, up)
	w.act(t, url)
	return w
}

func serveBroker(t *testing.T) string {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	b := broker.New(broker.Config{})
	served := make(chan struct{})
	go func() { defer close(served); _ = b.Serve(ln) }()
	t.Cleanup(func() { b.Close(); <-served })
	return "amqp://guest:guest@" + ln.Addr().String() + "/"
}

// act answers each command, and reports it.
func (w *world) act(t *testing.T, url string) {
	t.Helper()
	w.ch = testkit.OpenChannel(t, url)
	answers := testkit.OpenChannel(t, url)
	q, err := answers.QueueDeclare("dome_commands", false, true, true, false, nil)
	if err == nil {
		err = answers.QueueBind(q.Name, "command.dome.#", actor.Exchange, false, nil)
	}
	if err != nil {
		t.Fatal(err)
	}
	deliveries, err := answers.Consume(q.Name, "", true, true, false, false, nil)
	if err != nil {
		t.Fatal(err)
	}
	acting := make(chan struct{})
	go func() {
		defer close(acting)
		for d := range deliveries {
			id, _ := d.Headers["command_id"].(string)
			w.got <- id
			for _, code := range []string{">", "i", ":"} {
				_ = answers.Publish(actor.Exchange, "reply.bridge.dome", false, false, amqp.Publishing{
					Headers:       amqp.Table{"message_code": code, "sender": "dome", "command_id": id, "commander_id": "bridge.dome", "internal": false},
					CorrelationId: id, Body: []byte(`{"dome_open": true}`),
				})
			}
		}
	}()
	t.Cleanup(func() { answers.Close(); <-acting })
}

// broadcast says a number.
func (w *world) broadcast(t *testing.T, n int) {
	t.Helper()
	body, err := json.Marshal(map[string]int{"n": n})
	if err != nil {
		t.Fatal(err)
	}
	err = w.ch.Publish(actor.Exchange, "reply.broadcast", false, false, amqp.Publishing{
		Headers: amqp.Table{"message_code": "i", "sender": "weather", "command_id": nil, "commander_id": nil, "internal": false}, Body: body,
	})
	if err != nil {
		t.Fatal(err)
	}
}
