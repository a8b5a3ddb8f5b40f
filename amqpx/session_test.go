package amqpx

import (
	"context"
	"log/slog"
	"runtime"
	"strings"
	"testing"

	amqp "github.com/rabbitmq/amqp091-go"
)

// slow is a log that lets others go ahead of whoever links to the broker.
type slow struct{ slog.Handler }

func (slow) Enabled(context.Context, slog.Level) bool { return true }

func (slow) Handle(_ context.Context, r slog.Record) error {
	for range 1000 {
		if strings.HasPrefix(r.Message, "linked") {
			runtime.Gosched()
		}
	}
	return nil
}

func TestABrokerThatBlocksAtOnceIsNotForgotten(t *testing.T) {
	states := make(chan State, 10)
	l, err := New(Config{URLs: []string{"amqp://localhost/"}, Logger: slog.New(slow{slog.DiscardHandler}), OnState: func(s State) { states <- s }})
	if err != nil {
		t.Fatal(err)
	}
	s := &session{link: l, url: l.cfg.URLs[0], broken: make(chan struct{}), publisher: &publisher{outbox: l.outbox},
		blocking: make(chan amqp.Blocking, 1), confirms: &confirms{}}
	s.blocking <- amqp.Blocking{Active: true, Reason: "low on memory"}
	close(s.blocking)
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() { defer close(ended); _ = s.serve(ctx) }()
	for range 2 {
		<-states
	}
	if got := l.State(); !got.Up || got.Blocked != "low on memory" {
		t.Errorf("the state is %+v", got)
	}
	cancel()
	<-ended
}
