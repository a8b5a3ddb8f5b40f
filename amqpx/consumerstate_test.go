package amqpx

import (
	"context"
	"log/slog"
	"net"
	"testing"
	"testing/synctest"

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
