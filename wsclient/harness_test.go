package wsclient

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net"
	"sync"
	"testing"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"

	"github.com/clu-ws/clu-ws/actor"
	"github.com/clu-ws/clu-ws/amqpx"
	"github.com/clu-ws/clu-ws/amqpx/broker"
	"github.com/clu-ws/clu-ws/bridge"
	"github.com/clu-ws/clu-ws/bridge/hub"
	"github.com/clu-ws/clu-ws/internal/testkit"
)

// observatory is an embedded broker, an actor "dome" and a bridge, which a test can restart.
type observatory struct {
	t      testing.TB
	broker *broker.Broker
	dome   *actor.Actor
	opened chan string // the ids of the commands "open" and "hang", as the actor gets them
	end    chan struct{}
	addr   string
	bridge *runningBridge
	change func(*bridge.Config)
}

const brokerURL = "amqp://guest:guest@embedded/"

func newObservatory(t testing.TB, change func(*bridge.Config)) *observatory {
	t.Helper()
	o := &observatory{t: t, broker: broker.New(broker.Config{}), opened: make(chan string, 10_000), end: make(chan struct{}), change: change}
	dome, err := actor.New(actor.Config{Name: "dome", Link: amqpx.Config{URLs: []string{brokerURL}, Dial: o.broker.Dial, Logger: slog.New(slog.DiscardHandler)}})
	if err != nil {
		t.Fatal(err)
	}
	dome.Handle("open", "Opens the dome.", func(_ context.Context, c *actor.Call) error {
		o.opened <- c.Command.CommandID
		c.Info(actor.Keywords{"dome_open": true})
		return nil
	})
	dome.Handle("jam", "Fails.", func(context.Context, *actor.Call) error { return errors.New("the dome is jammed") })
	dome.Handle("hang", "Runs until the test ends it.", func(ctx context.Context, c *actor.Call) error {
		o.opened <- c.Command.CommandID
		select {
		case <-o.end:
		case <-ctx.Done():
		}
		return nil
	})
	o.dome = dome
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() { _ = dome.Run(ctx) })
	t.Cleanup(func() {
		o.stopBridge()
		cancel()
		running.Wait()
		if err := o.broker.Close(); err != nil {
			t.Error(err)
		}
	})
	if err := dome.Ready(within(t)); err != nil {
		t.Fatal(err)
	}
	o.startBridge()
	return o
}

// within returns a context that ends after the patience of tests.
func within(t testing.TB) context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), testkit.Patience)
	t.Cleanup(cancel)
	return ctx
}

type runningBridge struct {
	*bridge.Bridge
	stop func()
}

// startBridge starts the bridge, at the address that it had before.
func (o *observatory) startBridge() {
	o.t.Helper()
	cfg := bridge.Config{Name: "bridge", Broker: []string{brokerURL}, Dial: o.broker.Dial, Logger: slog.New(slog.DiscardHandler), History: hub.History{Replies: 100_000}, KeywordHistory: 1 << 20}
	if o.change != nil {
		o.change(&cfg)
	}
	b, err := bridge.New(cfg)
	if err != nil {
		o.t.Fatal(err)
	}
	addr := o.addr
	if addr == "" {
		addr = "127.0.0.1:0"
	}
	ln, err := net.Listen("tcp", addr)
	if err != nil {
		o.t.Fatal(err)
	}
	o.addr = ln.Addr().String()
	if err := b.Listen(ln); err != nil {
		o.t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() { _ = b.Run(ctx) })
	o.bridge = &runningBridge{b, sync.OnceFunc(func() { cancel(); running.Wait() })}
	if err := b.Ready(within(o.t)); err != nil {
		o.t.Fatal(err)
	}
}

func (o *observatory) stopBridge() {
	if o.bridge != nil {
		o.bridge.stop()
	}
}

// broadcaster returns a function that says keywords as an actor does, for a test that misses none of them. An actor's own link
// gives up what it could not publish in 0.9 s, and what was in flight while the process stood still.
func (o *observatory) broadcaster() (say func(actor.Keywords) error) {
	o.t.Helper()
	conn, err := amqp.DialConfig(brokerURL, amqp.Config{Dial: o.broker.Dial, Heartbeat: time.Hour})
	if err != nil {
		o.t.Fatal(err)
	}
	o.t.Cleanup(func() { _ = conn.Close() })
	ch, err := conn.Channel()
	if err != nil {
		o.t.Fatal(err)
	}
	return func(keywords actor.Keywords) error {
		body, err := json.Marshal(keywords)
		if err != nil {
			return err
		}
		return ch.Publish(actor.Exchange, "reply.broadcast", false, false, amqp.Publishing{
			Headers: amqp.Table{"message_code": "i", "sender": "dome", "command_id": nil, "commander_id": nil, "internal": false}, Body: body,
		})
	}
}

func (o *observatory) url() string { return "ws://" + o.addr + "/" }

// dial connects a client that waits only shortly between attempts.
func (o *observatory) dial(change func(*Config)) *Client {
	o.t.Helper()
	cfg := Config{URL: o.url(), MinDelay: time.Millisecond, MaxDelay: 20 * time.Millisecond}
	if change != nil {
		change(&cfg)
	}
	c, err := Dial(within(o.t), cfg)
	if err != nil {
		o.t.Fatal(err)
	}
	o.t.Cleanup(func() { _ = c.Close() })
	return c
}

// cut breaks the client's connection without a close frame.
func (c *Client) cut() {
	c.mu.Lock()
	s := c.session
	c.mu.Unlock()
	if s != nil {
		s.conn.CloseNow()
	}
}
