package amqpx_test

import (
	"context"
	"errors"
	"testing"

	"github.com/clu-ws/clu-ws/amqpx"
)

func TestPublishWaitReturnsTheOutcome(t *testing.T) {
	t.Parallel()
	w := run(t, amqpx.Config{URLs: []string{newEmbedded(t).url()}})
	if err := w.Ready(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name string
		msg  amqpx.Message
		want amqpx.Outcome
	}{
		{"a bound key", amqpx.Message{Key: "reply.me"}, amqpx.Confirmed},
		{"a key that nothing is bound for", amqpx.Message{Key: "command.me"}, amqpx.Confirmed},
		{"the same, mandatory", amqpx.Message{Key: "command.me", Mandatory: true, Publishing: amqpx.Publishing{MessageId: "1"}}, amqpx.Returned},
	} {
		if got, err := w.PublishWait(t.Context(), c.msg); got != c.want || err != nil {
			t.Errorf("%s: %v, %v, want %v", c.name, got, err, c.want)
		}
	}
	if got, err := w.PublishWait(t.Context(), amqpx.Message{Mandatory: true}); got.InDoubt() || got == amqpx.Confirmed || err == nil {
		t.Errorf("a message that AMQP cannot carry: %v, %v", got, err)
	}
}

func TestPublishWaitOnALinkThatIsDownEndsAtOnce(t *testing.T) {
	t.Parallel()
	l, err := amqpx.New(amqpx.Config{URLs: []string{"amqp://localhost/"}, Exchange: "test"})
	if err != nil {
		t.Fatal(err)
	}
	if got, err := l.PublishWait(t.Context(), amqpx.Message{Key: "x"}); got != amqpx.Disconnected || err != nil {
		t.Errorf("%v, %v", got, err)
	}
}

func TestPublishWaitWithAContextThatHasEndedSendsNothing(t *testing.T) {
	t.Parallel()
	w := run(t, amqpx.Config{URLs: []string{newEmbedded(t).url()}})
	if err := w.Ready(t.Context()); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if got, err := w.PublishWait(ctx, amqpx.Message{Key: "reply.me"}); got != amqpx.Expired || !errors.Is(err, context.Canceled) {
		t.Errorf("%v, %v", got, err)
	}
	if all := w.Stats().Outcomes; all != [len(all)]uint64{} {
		t.Errorf("publishes have ended: %v", all)
	}
}
