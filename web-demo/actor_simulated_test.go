package webdemo_test

import (
	"context"
	"log/slog"
	"testing"

	"github.com/clu-ws/clu-ws/actor"
	"github.com/clu-ws/clu-ws/amqpx"
	"github.com/clu-ws/clu-ws/internal/testkit"
)

// simulated is an actor named dome with the commands open and close, which end at once, and slow, which ends by finish.
type simulated struct {
	*actor.Actor
	ran    chan string // the names of the commands that it ran
	finish chan struct{}
}

// startSimulated starts the actor, which runs until the test ends.
func startSimulated(t *testing.T, url string) *simulated {
	t.Helper()
	a, err := actor.New(actor.Config{Name: "dome", Version: "1.0.0", Link: amqpx.Config{URLs: []string{url}, Logger: slog.New(slog.DiscardHandler)}})
	if err != nil {
		t.Fatal(err)
	}
	s := &simulated{Actor: a, ran: make(chan string, 100), finish: make(chan struct{})}
	for _, name := range []string{"open", "close"} {
		a.Handle(name, "Moves the shutter.", func(_ context.Context, c *actor.Call) error {
			s.ran <- name
			c.Finish(actor.Keywords{"dome_shutter": name})
			return nil
		})
	}
	a.Handle("slow", "Takes its time.", func(ctx context.Context, c *actor.Call) error {
		s.ran <- "slow"
		c.Info(actor.Keywords{"step": "half the way"})
		select {
		case <-s.finish:
		case <-ctx.Done():
		}
		c.Finish(actor.Keywords{"step": "there"})
		return nil
	})
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_ = a.Run(ctx)
	}()
	t.Cleanup(func() {
		cancel()
		<-ended
	})
	ready, stop := context.WithTimeout(ctx, testkit.Patience)
	defer stop()
	if err := a.Ready(ready); err != nil {
		t.Fatal(err)
	}
	return s
}
