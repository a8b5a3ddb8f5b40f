package amqpx_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/clu-ws/clu-ws/amqpx"
	"github.com/clu-ws/clu-ws/internal/testkit"
)

func TestAWriterStuckInAFullSocketDoesNotHoldUpTheNextLink(t *testing.T) {
	e := newEmbedded(t)
	p := newProxy(t, e.addr)
	w := run(t, amqpx.Config{URLs: []string{p.url()}, Heartbeat: 3 * time.Second, PublishTimeout: 900 * time.Millisecond, MaxPending: 4096}) // room for 30 MiB
	w.await(t, true)
	p.stall(1) // the publishing connection
	var outcomes []<-chan amqpx.Outcome
	for i := range 30 { // more than the buffers of both sockets hold
		outcome := make(chan amqpx.Outcome, 1)
		outcomes = append(outcomes, outcome)
		m := amqpx.Message{Key: "reply.me", Publishing: amqpx.Publishing{MessageId: fmt.Sprint(i), Body: make([]byte, 1<<20)}}
		if err := w.Publish(m, func(o amqpx.Outcome) { outcome <- o }); err != nil {
			t.Fatal(err)
		}
	}
	for i, o := range outcomes {
		if got := testkit.Receive(t, o); got != amqpx.Unknown && got != amqpx.Expired {
			t.Errorf("message %d: %v", i, got)
		}
	}
	// The heartbeat notices it.
	w.await(t, false)
	w.await(t, true)
	testkit.WaitUntil(t, "what is published on the next link is confirmed", func() bool {
		return testkit.Receive(t, w.send(t, "reply.me", "after")) == amqpx.Confirmed
	})
}

func TestStoppingDoesNotWaitForConfirmsThatAreOverdue(t *testing.T) {
	e := newEmbedded(t)
	p := newProxy(t, e.addr)
	w := run(t, amqpx.Config{URLs: []string{p.url()}, PublishTimeout: time.Second, Heartbeat: time.Hour})
	w.await(t, true)
	p.stall(0, 1)
	if got := testkit.Receive(t, w.send(t, "reply.me", "x")); got != amqpx.Unknown {
		t.Errorf("sent into a stalled network: %v", got)
	}
	w.stop()
	testkit.Await(t, w.ended) // no heartbeat ends it
}
