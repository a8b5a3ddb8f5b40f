package bridge_test

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"

	"github.com/clu-ws/clu-ws/actor"
	"github.com/clu-ws/clu-ws/internal/testkit"
)

// received is what a recorder knows about one command.
type received struct {
	at    time.Time // first
	times int       // without the broker's own redeliveries
	place int       // in the order of all first receipts
}

// recorder is an actor that records every command that reaches it, and reconnects by itself
// when its connection breaks.
//
// Its queue must not lose what the broker has confirmed; otherwise it would be unclear
// where a command was lost. An actor's own queue would: it is exclusive, and deleted with
// the connection; and a durable classic queue loses transient messages, as commands are, in
// a restart. A quorum queue keeps every message and confirms what is on disk. Deliveries
// are acknowledged one by one, so that one that is lost with a connection comes again. The
// broker marks it as redelivered; a second delivery without the mark was sent twice.
type recorder struct {
	url, name string

	// mu guards the following fields.
	mu       sync.Mutex
	commands map[string]*received // by command_id
	more     chan struct{}        // closed and renewed at each command
}

// record starts a recorder for the commands to a consumer, and waits until it is
// bound. It ends with the test.
func record(t *testing.T, url, name string) *recorder {
	t.Helper()
	r := &recorder{url: url, name: name, commands: map[string]*received{}, more: make(chan struct{})}
	ctx, cancel := context.WithCancel(context.Background())
	bound, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		isBound := sync.OnceFunc(func() { close(bound) })
		for ctx.Err() == nil {
			// Errors are expected here: the test keeps breaking connections.
			_ = r.serve(ctx, isBound)
			select {
			case <-ctx.Done():
			case <-time.After(50 * time.Millisecond):
			}
		}
	}()
	t.Cleanup(func() { cancel(); <-ended })
	testkit.Await(t, closing(bound))
	return r
}

// closing returns the reason why a channel was closed.
func closing(c <-chan struct{}) <-chan bool {
	v := make(chan bool, 1)
	go func() { <-c; v <- true }()
	return v
}

// serve is one life of the recorder's connection.
func (r *recorder) serve(ctx context.Context, isBound func()) error {
	conn, err := amqp.DialConfig(r.url, amqp.Config{Dial: amqp.DefaultDial(5 * time.Second), Heartbeat: 10 * time.Second})
	if err != nil {
		return err
	}
	defer conn.Close()
	defer context.AfterFunc(ctx, func() { conn.Close() })()
	ch, err := conn.Channel()
	if err != nil {
		return err
	}
	if err := ch.ExchangeDeclare(actor.Exchange, "topic", false, true, false, false, nil); err != nil {
		return err
	}
	queue := actor.CommandsQueue(r.name)
	if _, err := ch.QueueDeclare(queue, true, false, false, false, amqp.Table{"x-queue-type": "quorum"}); err != nil {
		return err
	}
	deliveries, err := ch.Consume(queue, "", false, false, false, false, nil)
	if err != nil {
		return err
	}
	if err := ch.QueueBind(queue, "command."+r.name+".#", actor.Exchange, false, nil); err != nil {
		return err
	}
	isBound()
	for d := range deliveries {
		r.note(d.CorrelationId, d.Redelivered)
		if err := d.Ack(false); err != nil {
			return err
		}
	}
	return nil
}

func (r *recorder) note(commandID string, again bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	c := r.commands[commandID]
	switch {
	case c == nil:
		r.commands[commandID] = &received{at: time.Now(), times: 1, place: len(r.commands)}
	case !again:
		c.times++
	}
	close(r.more)
	r.more = make(chan struct{})
}

// await waits until the condition on the commands so far holds.
func (r *recorder) await(t *testing.T, what string, holds func(map[string]*received) bool) {
	t.Helper()
	for deadline := time.After(4 * testkit.Patience); ; {
		r.mu.Lock()
		ok, more := holds(r.commands), r.more
		r.mu.Unlock()
		if ok {
			return
		}
		select {
		case <-more:
		case <-deadline:
			t.Fatalf("the actor never received %s", what)
		}
	}
}

// awaitMore waits until n more commands have come.
func (r *recorder) awaitMore(t *testing.T, n int) {
	t.Helper()
	r.mu.Lock()
	want := len(r.commands) + n
	r.mu.Unlock()
	r.await(t, fmt.Sprint(n, " more commands"), func(c map[string]*received) bool { return len(c) >= want })
}
