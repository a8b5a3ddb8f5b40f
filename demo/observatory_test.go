package demo_test

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/clu-ws/clu-ws/actor"
	"github.com/clu-ws/clu-ws/amqpx"
	"github.com/clu-ws/clu-ws/amqpx/broker"
	"github.com/clu-ws/clu-ws/demo"
	"github.com/clu-ws/clu-ws/internal/testkit"
)

// observatory is the demo on an embedded broker, with a client that commands it and an
// actor that receives all replies. It runs in a bubble, where waiting takes no time.
type observatory struct {
	t      *testing.T
	ctx    context.Context
	client *actor.Client

	mu      sync.Mutex // guards the following field
	replies []actor.Reply
}

func withObservatory(t *testing.T, speed float64, test func(t *testing.T, o *observatory)) {
	t.Helper()
	withConfig(t, demo.Config{Speed: speed, Seed: 7}, test)
}

// withConfig is withObservatory with a configuration, except for what connects it.
func withConfig(t *testing.T, cfg demo.Config, test func(t *testing.T, o *observatory)) {
	t.Helper()
	testkit.Bubble(t, func(t *testing.T) {
		b := broker.New(broker.Config{})
		defer b.Close()
		ctx, stop := context.WithCancel(t.Context())
		var running sync.WaitGroup
		defer running.Wait()
		defer stop()

		log := slog.New(slog.DiscardHandler)
		const url = "amqp://guest:guest@localhost/"
		o := &observatory{t: t, ctx: ctx}
		link := amqpx.Config{URLs: []string{url}, Dial: b.Dial, Logger: log}
		observer, err := actor.New(actor.Config{Name: "observer", Link: link, OnReply: o.receive})
		if err != nil {
			t.Fatal(err)
		}
		if o.client, err = actor.NewClient(actor.Config{Link: link}); err != nil {
			t.Fatal(err)
		}
		ready := make(chan struct{})
		running.Go(func() { _ = observer.Run(ctx) })
		running.Go(func() { _ = o.client.Run(ctx) })
		if err := errors.Join(observer.Ready(ctx), o.client.Ready(ctx)); err != nil {
			t.Fatal(err)
		}
		running.Go(func() {
			cfg.URL, cfg.Dial, cfg.Logger, cfg.Ready = url, b.Dial, log, func() { close(ready) }
			err := demo.Run(ctx, cfg)
			if err != nil {
				t.Error(err)
			}
		})
		<-ready
		test(t, o)
	})
}

func (o *observatory) receive(r actor.Reply) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.replies = append(o.replies, r)
}

// take returns what an actor has broadcast since the last call.
func (o *observatory) take(sender string) []actor.Reply {
	var broadcasts []actor.Reply
	for _, r := range o.all() {
		if r.Sender == sender && r.CommandID == "" {
			broadcasts = append(broadcasts, r)
		}
	}
	return broadcasts
}

// all returns all replies since the last call.
func (o *observatory) all() (replies []actor.Reply) {
	synctest.Wait()
	o.mu.Lock()
	defer o.mu.Unlock()
	replies, o.replies = o.replies, nil
	return replies
}

// send sends a command and does not wait for its end.
func (o *observatory) send(consumer, commandString string) *actor.Pending {
	o.t.Helper()
	p, err := o.client.Send(o.ctx, consumer, commandString, actor.SendOptions{})
	if err != nil {
		o.t.Fatal(err)
	}
	return p
}

// do sends a command that must succeed.
func (o *observatory) do(consumer, commandString string) actor.Result {
	o.t.Helper()
	r, err := o.send(consumer, commandString).Wait(o.ctx)
	if err != nil {
		o.t.Fatal(err)
	}
	synctest.Wait() // for what was broadcast at the same time
	return r
}

// refused sends a command that must fail, and returns the reason.
func (o *observatory) refused(consumer, commandString string) string {
	o.t.Helper()
	return o.reason(o.send(consumer, commandString))
}

func (o *observatory) reason(p *actor.Pending) string {
	o.t.Helper()
	_, err := p.Wait(o.ctx)
	var e *actor.CommandError
	if !errors.As(err, &e) || e.Status != actor.StatusFailed {
		o.t.Fatalf("%s %s did not fail: %v", p.Command.Consumer, p.Command.CommandString, err)
	}
	return e.Reason
}

// value returns a keyword's value in a reply.
func value[T any](t *testing.T, r actor.Reply, keyword string) T {
	t.Helper()
	var v T
	raw, ok := r.Keywords()[keyword]
	if !ok {
		t.Fatalf("there is no %s in %s", keyword, r.Body)
	}
	if err := json.Unmarshal(raw, &v); err != nil {
		t.Fatalf("%s is %s: %v", keyword, raw, err)
	}
	return v
}

// values returns a keyword's values in the replies that have it.
func values[T any](t *testing.T, replies []actor.Reply, keyword string) []T {
	t.Helper()
	var all []T
	for _, r := range replies {
		if _, ok := r.Keywords()[keyword]; ok {
			all = append(all, value[T](t, r, keyword))
		}
	}
	return all
}
