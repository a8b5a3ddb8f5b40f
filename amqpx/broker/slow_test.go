package broker_test

import (
	"fmt"
	"net"
	"testing"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"

	"github.com/clu-ws/clu-ws/amqpx/broker"
	"github.com/clu-ws/clu-ws/internal/testkit"
)

// A client that does not read must neither delay others nor make the broker buffer without bound.
func TestASlowReaderIsPausedAndOthersAreNot(t *testing.T) {
	b, url := serve(t, broker.Config{MaxOutbound: 64 << 10})
	stuck, release := stuckClient(t, b)
	slow := open(t, stuck)
	must(t, slow.ExchangeDeclare("x", "fanout", false, true, false, false, nil))
	declare(t, slow, "slow")
	must(t, slow.QueueBind("slow", "", "x", false, nil))
	slowly, err := slow.Consume("slow", "", true, false, false, false, nil)
	must(t, err)

	fast := open(t, dial(t, url))
	must(t, fast.Confirm(false))
	declare(t, fast, "fast")
	must(t, fast.QueueBind("fast", "", "x", false, nil))
	quickly, err := fast.Consume("fast", "", true, false, false, false, nil)
	must(t, err)

	release.hold()
	const n = 1000
	for i := range n {
		must(t, fast.Publish("x", "", false, false, amqp.Publishing{MessageId: fmt.Sprint(i), Body: make([]byte, 4096)}))
	}
	for i := range n {
		if d := testkit.Receive(t, quickly); d.MessageId != fmt.Sprint(i) {
			t.Fatalf("got message %s, want %d", d.MessageId, i)
		}
	}
	release.resume()
	for i := range n {
		if d := testkit.Receive(t, slowly); d.MessageId != fmt.Sprint(i) {
			t.Fatalf("got message %s, want %d", d.MessageId, i)
		}
	}
}

func TestAClientThatStopsReadingIsDisconnected(t *testing.T) {
	b, url := serve(t, broker.Config{MaxOutbound: 64 << 10, WriteTimeout: 2 * time.Second}) // which bounds the handshake, too
	stuck, release := stuckClient(t, b)
	closed := stuck.NotifyClose(make(chan *amqp.Error, 1))
	slow := open(t, stuck)
	_, err := slow.QueueDeclare("shared", false, false, false, false, nil)
	must(t, err)
	_, err = slow.Consume("shared", "", false, false, false, false, nil)
	must(t, err)
	release.hold()
	ch := open(t, dial(t, url))
	must(t, ch.Confirm(false))
	publish(t, ch, "shared", make([]byte, 100_000))
	heir, err := ch.Consume("shared", "", false, false, false, false, nil)
	must(t, err)
	if d := testkit.Receive(t, heir); !d.Redelivered {
		t.Error("the heir got a message that was not redelivered")
	}
	release.resume()
	testkit.Receive(t, closed)
}

// valve is a connection whose reads can be paused.
type valve struct {
	net.Conn
	open chan chan struct{} // holds the channel to wait for
}

func (v valve) Read(p []byte) (int, error) {
	gate := <-v.open
	v.open <- gate
	<-gate
	return v.Conn.Read(p)
}

// hold pauses the reads that begin from now on, and resume continues them.
func (v valve) hold()   { <-v.open; v.open <- make(chan struct{}) }
func (v valve) resume() { gate := <-v.open; close(gate); v.open <- gate }

// stuckClient connects through a valve, which is open.
func stuckClient(t *testing.T, b *broker.Broker) (*amqp.Connection, valve) {
	t.Helper()
	v := valve{open: make(chan chan struct{}, 1)}
	gate := make(chan struct{})
	close(gate)
	v.open <- gate
	conn, err := amqp.DialConfig("amqp://guest:guest@localhost/", amqp.Config{
		Locale: "en_US",
		Dial: func(network, addr string) (nc net.Conn, err error) {
			v.Conn, err = b.Dial(network, addr)
			return v, err
		},
	})
	must(t, err)
	t.Cleanup(func() { _ = conn.Close() })
	return conn, v
}
