package chaos

import (
	"context"
	"encoding/json"
	"log/slog"
	"net"
	"testing"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"

	"github.com/clu-ws/clu-ws/actor"
	"github.com/clu-ws/clu-ws/amqpx/broker"
	"github.com/clu-ws/clu-ws/bridge"
	"github.com/clu-ws/clu-ws/bridge/engine"
	"github.com/clu-ws/clu-ws/bridge/hub"
	"github.com/clu-ws/clu-ws/internal/testkit"
)

// world is a broker, a bridge that restarts, and an actor.
type world struct {
	addr   string // of the bridge
	stream bool   // the bridge reads a stream
	url    string // of the broker
	ch     *amqp.Channel
	got    chan string // ids of the commands that the actor got
	said   int         // the last broadcast

	stopBridge func() error // nil while there is none
	ready      chan struct{}
}

func start(t *testing.T, url string, stream bool) *world {
	t.Helper()
	w := &world{url: url, stream: stream, got: make(chan string, 10_000)}
	w.run(t)
	t.Cleanup(func() { w.stop(t) })
	testkit.Await(t, w.ready)
	w.act(t)
	return w
}

// run starts the bridge.
func (w *world) run(t *testing.T) {
	t.Helper()
	cfg := bridge.Config{
		Name: "bridge", Broker: []string{w.url}, Logger: slog.New(slog.DiscardHandler),
		History: hub.History{Replies: 100_000, Bytes: 256 << 20, Age: time.Hour},
		Drain:   bridge.Drain{Timeout: 2 * time.Second},
		Limits:  engine.Limits{PingAfter: time.Second, PongTimeout: time.Second},
	}
	if w.stream {
		cfg.Durable.Stream = &bridge.Stream{Bytes: 100 << 20}
	}
	b, err := bridge.New(cfg)
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
	ready := make(chan struct{})
	w.ready = ready
	go func() {
		if b.Ready(ctx) == nil {
			close(ready)
		}
	}()
	w.stopBridge = func() error { cancel(); return <-ended }
}

// stop drains the bridge, and ends it.
func (w *world) stop(t *testing.T) {
	t.Helper()
	if w.stopBridge == nil {
		return
	}
	if err := w.stopBridge(); err != nil {
		t.Error(err)
	}
	w.stopBridge = nil
}

// linked reports whether the bridge is linked to the broker.
func (w *world) linked() bool {
	select {
	case <-w.ready:
		return true
	default:
		return false
	}
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

// act answers each command, and reports it. The command "jam" fails.
func (w *world) act(t *testing.T) {
	t.Helper()
	w.ch = testkit.OpenChannel(t, w.url)
	answers := testkit.OpenChannel(t, w.url)
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
			for _, code := range []string{">", "i", endOf(d.Body)} {
				_ = answers.Publish(actor.Exchange, "reply.bridge.dome", false, false, amqp.Publishing{
					Headers:       amqp.Table{"message_code": code, "sender": "dome", "command_id": id, "commander_id": "bridge.dome", "internal": false},
					CorrelationId: id, Body: []byte(`{"dome_open": true}`),
				})
			}
		}
	}()
	t.Cleanup(func() { answers.Close(); <-acting })
}

// endOf returns the message code with which the actor ends a command.
func endOf(command []byte) string {
	var body struct {
		Command string `json:"command_string"`
	}
	if json.Unmarshal(command, &body) == nil && body.Command == "jam" {
		return "f"
	}
	return ":"
}

// broadcast says the next number, and whether it is even.
func (w *world) broadcast(t *testing.T) {
	t.Helper()
	w.said++
	keywords := map[string]any{"n": w.said}
	if w.said%2 == 0 {
		keywords["even"] = true
	}
	body, err := json.Marshal(keywords)
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
