package amqpx

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"

	amqp "github.com/rabbitmq/amqp091-go"
)

// upLink returns a link whose state is up, but that sends nothing.
func upLink(t *testing.T) *Link {
	t.Helper()
	l, err := New(Config{URLs: []string{"amqp://localhost/"}, Exchange: "test", Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	l.outbox.open()
	l.announceUp("amqp://localhost/")
	return l
}

func TestReadyWaitsWhileTheBrokerBlocksPublishers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := upLink(t)
		l.setBlocked(amqp.Blocking{Active: true, Reason: "low on memory"})
		ended, cancel := context.WithCancel(t.Context())
		cancel()
		if err := l.Ready(ended); !errors.Is(err, context.Canceled) || !strings.Contains(err.Error(), "low on memory") {
			t.Errorf("a context that has ended: %v", err)
		}
		ready := make(chan error, 1)
		go func() { ready <- l.Ready(t.Context()) }()
		synctest.Wait()
		if len(ready) > 0 {
			t.Fatal("ready while the broker blocks publishers")
		}
		l.setBlocked(amqp.Blocking{})
		if err := <-ready; err != nil {
			t.Error(err)
		}
	})
}

func TestPublishWaitEndsWithItsContextInDoubt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := upLink(t)
		ctx, cancel := context.WithCancel(t.Context())
		type result struct {
			outcome Outcome
			err     error
		}
		ended := make(chan result, 1)
		go func() {
			outcome, err := l.PublishWait(ctx, Message{Key: "x"})
			ended <- result{outcome, err}
		}()
		synctest.Wait()
		if len(ended) > 0 {
			t.Fatal("an outcome before anything was sent")
		}
		cancel()
		if got := <-ended; got.outcome != Unknown || !errors.Is(got.err, context.Canceled) {
			t.Errorf("%v, %v", got.outcome, got.err)
		}
	})
}
