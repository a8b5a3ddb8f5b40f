package amqpx

import (
	"log/slog"
	"testing"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"

	"github.com/clu-ws/clu-ws/internal/testkit"
)

// A network that went silent is noticed late. What the broker had removed just before is told
// nevertheless.
func TestWhatWasRemovedBeforeTheBrokerFellSilentIsWithinTheGap(t *testing.T) {
	now := time.Now()
	in := newIntake(Queue{Name: "q"}, 10, slog.New(slog.DiscardHandler))
	heard := now.Add(-20 * time.Second)
	in.bound = now.Add(-time.Hour)
	in.begin()
	in.drops.before = now.Add(-time.Minute)
	in.drops.seen = heard.Add(-time.Second)
	in.quiet.waiting(now, 0, 0, false)
	in.end(heard, heard)
	if !in.clear.Equal(in.drops.before) {
		t.Errorf("clear until %v, want %v", in.clear, in.drops.before)
	}
}

// The dead letters are removed when they are found. A link that breaks before it tells the gap
// leaves that to the next one.
func TestWhatWasRemovedIsToldThoughTheLinkThatFoundItBroke(t *testing.T) {
	t.Parallel()
	conn, err := amqp.Dial(testkit.RabbitMQ(t).NewVHost(t))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	in := newIntake(Queue{Name: "q"}, 10, slog.New(slog.DiscardHandler))
	read := func() {
		t.Helper()
		s := &session{link: &Link{}, consuming: &connection{Connection: conn}, broken: make(chan struct{})}
		in.drops.told = true
		if err := s.watchDrops(t.Context(), in, "q", nil); err != nil {
			t.Fatal(err)
		}
	}
	ch, err := conn.Channel()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := ch.QueueDeclare(droppedOf("q"), false, false, true, false, amqp.Table{amqp.QueueMaxLenArg: 1}); err != nil {
		t.Fatal(err)
	}
	if err := ch.Confirm(false); err != nil {
		t.Fatal(err)
	}
	letter, err := ch.PublishWithDeferredConfirm("", droppedOf("q"), false, false, amqp.Publishing{})
	if err != nil {
		t.Fatal(err)
	}
	letter.Wait()
	read()
	read()
	if !in.drops.away {
		t.Error("the second link does not know of it")
	}
	in.beginDrops()
	if in.drops.away {
		t.Error("it is told at every link")
	}
}
