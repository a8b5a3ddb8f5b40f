package amqpx

import (
	"log/slog"
	"testing"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"

	"github.com/clu-ws/clu-ws/internal/testkit"
)

// It takes time to notice that a network has gone silent. Messages that the broker removed just
// before are still reported.
func TestWhatWasRemovedBeforeTheBrokerFellSilentIsWithinTheGap(t *testing.T) {
	now := time.Now()
	cs := newConsumerState(Queue{Name: "q"}, 10, slog.New(slog.DiscardHandler))
	heard := now.Add(-20 * time.Second)
	cs.boundAt = now.Add(-time.Hour)
	cs.startSession()
	cs.begin()
	cs.removals.before = now.Add(-time.Minute)
	cs.removals.seen = heard.Add(-time.Second)
	cs.loss.idle(now, 0, 0, now, false)
	cs.end(heard, heard)
	if !cs.completeUntil.Equal(cs.removals.before) {
		t.Errorf("complete until %v, want %v", cs.completeUntil, cs.removals.before)
	}
}

// Dead letters are removed when they are found. A session that breaks before it reports the gap leaves
// it to the next one.
func TestWhatWasRemovedIsReportedThoughTheSessionThatFoundItBroke(t *testing.T) {
	t.Parallel()
	conn, err := amqp.Dial(testkit.RabbitMQ(t).NewVHost(t))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	cs := newConsumerState(Queue{Name: "q"}, 10, slog.New(slog.DiscardHandler))
	read := func() {
		t.Helper()
		s := &session{link: &Link{}, consuming: &connection{Connection: conn}, broken: make(chan struct{})}
		cs.removals.deadLettered = true
		if err := s.openDeadLetters(t.Context(), cs, "q", nil); err != nil {
			t.Fatal(err)
		}
	}
	ch, err := conn.Channel()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := ch.QueueDeclare(deadLetterQueueOf("q"), false, false, true, false, amqp.Table{amqp.QueueMaxLenArg: 1}); err != nil {
		t.Fatal(err)
	}
	if err := ch.Confirm(false); err != nil {
		t.Fatal(err)
	}
	letter, err := ch.PublishWithDeferredConfirm("", deadLetterQueueOf("q"), false, false, amqp.Publishing{})
	if err != nil {
		t.Fatal(err)
	}
	letter.Wait()
	read()
	read()
	if !cs.removals.beforeSession {
		t.Error("the second link does not know of it")
	}
	cs.beginRemovals()
	if cs.removals.beforeSession {
		t.Error("it is reported in every session")
	}
}
