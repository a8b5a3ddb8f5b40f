package amqpx

import (
	"context"
	"log/slog"
	"net"
	"testing"
	"testing/synctest"
	"time"

	"github.com/clu-ws/clu-ws/amqpx/broker"
)

func TestTheDeliveriesBelongToRunWhileNoSessionServes(t *testing.T) {
	bubble(t, func(t *testing.T, n *network, b *broker.Broker) {
		n.set("broker:5672", brokerAt(b))
		states := make(chan State, 1000)
		l, err := New(Config{
			URLs: []string{"amqp://guest:guest@broker/"}, Name: "link", Exchange: "test",
			Queues:  []Queue{{Name: "q", Bindings: []string{"#"}, Deliver: func(*Delivery) {}}},
			Dial:    func(network, addr string) (net.Conn, error) { return n.dial(t.Context(), network, addr) },
			OnState: func(s State) { states <- s },
			Logger:  slog.New(slog.DiscardHandler),
		})
		if err != nil {
			t.Fatal(err)
		}
		cs := l.consumerStates[0]
		expect := func(when string, free bool) {
			t.Helper()
			synctest.Wait()
			got := cs.mu.TryLock()
			if got {
				cs.mu.Unlock()
			}
			if got != free {
				t.Errorf("%s: the deliveries are free is %v, want %v", when, got, free)
			}
		}
		await := func(up bool) {
			for s := range states {
				if s.Up == up {
					return
				}
			}
		}
		expect("before Run", false)
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() { ended <- l.Run(ctx) }()
		await(true)
		expect("while a session serves", true)
		n.set("broker:5672", refuses)
		b.DropConnections()
		await(false)
		expect("while there is no broker", false)
		n.set("broker:5672", brokerAt(b))
		await(true)
		expect("while the next session serves", true)
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
		expect("after Run", false)
	})
}

// A message that the network held up shows that the bindings existed when it was routed, not when it
// arrived.
func TestAMessageThatWasHeldUpDoesNotShowThatTheBindingsStillExist(t *testing.T) {
	cs := newConsumerState(Queue{Name: "q"}, 10, slog.New(slog.DiscardHandler))
	cs.boundAt, cs.latency = at(0), 50*time.Millisecond
	cs.startSession()
	cs.begin()
	cs.loss.received(1)
	cs.loss.idle(at(1600), 1, 0, at(1000), false) // the network has recovered
	cs.loss.received(2)                           // this was routed at 1200
	cs.loss.idle(at(1601), 2, 0, at(1000), false)
	cs.end(at(2000), at(1000)) // at 2000 the broker was asked, and said that there is no exchange
	cs.backdate()
	if want := at(950); !cs.completeUntil.Equal(want) {
		t.Errorf("complete until %v, want %v", cs.completeUntil.Sub(at(0)), want.Sub(at(0)))
	}
}
