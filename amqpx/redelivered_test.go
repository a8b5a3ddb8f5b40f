package amqpx_test

import (
	"strings"
	"testing"
	"time"

	"github.com/clu-ws/clu-ws/amqpx"
	"github.com/clu-ws/clu-ws/internal/testkit"
)

// behindProxy returns a virtual host, reached directly and through a proxy that can break only this
// link.
func behindProxy(t *testing.T) (direct, proxied string, p *proxy) {
	t.Helper()
	direct = testkit.RabbitMQ(t).NewVHost(t)
	address, vhost, _ := strings.Cut(strings.TrimPrefix(direct, "amqp://guest:guest@"), "/")
	p = newProxy(t, address)
	return direct, p.url() + vhost, p
}

func TestWhatWasHandedOverBeforeItsAcknowledgementWasLostDoesNotComeTwice(t *testing.T) {
	t.Parallel()
	direct, proxied, p := behindProxy(t)
	for name, q := range map[string]amqpx.Queue{"kept": keptFor(time.Minute), "stream": history("link_reads", 0)} {
		t.Run(name, func(t *testing.T) {
			var h recorder
			broke := make(chan struct{}, 10)
			q := h.of(q)
			deliver := q.Deliver
			q.Deliver = func(d *amqpx.Delivery) {
				deliver(d)
				if n := string(d.Body); n == "5" || n == "8" {
					p.refuse(true)
					broke <- struct{}{}
				}
			}
			w := run(t, amqpx.Config{URLs: []string{proxied}, Queues: []amqpx.Queue{q}})
			w.await(t, true)
			ch := client(t, direct)
			publish(t, ch, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10)
			for range 2 {
				testkit.Await(t, broke)
				if q.Stream == nil {
					awaitNoConsumer(t, ch)
				}
				p.refuse(false)
			}
			want := numbers(0, 10)
			if q.Stream != nil {
				want = append([]event{live}, want...)
			}
			h.await(t, 10)
			h.expect(t, want...)
		})
	}
}

func TestTheGapOfASlowReceiverReachesBackToWhatTheBrokerHeldForIt(t *testing.T) {
	t.Parallel()
	direct, proxied, p := behindProxy(t)
	var h recorder
	q := h.of(amqpx.Queue{Name: "link_exclusive"})
	deliver, stuck, goOn := q.Deliver, make(chan struct{}), make(chan struct{})
	q.Deliver = func(d *amqpx.Delivery) {
		deliver(d)
		if string(d.Body) == "100" {
			close(stuck)
			<-goOn
		}
	}
	w := run(t, amqpx.Config{URLs: []string{proxied}, Prefetch: 20, Queues: []amqpx.Queue{q}})
	w.await(t, true)
	s := startSender(t, direct)
	<-stuck
	s.more(t, aWhile) // the broker holds most of them
	p.refuse(true)
	p.refuse(false)
	close(goOn)
	w.await(t, false)
	w.await(t, true)
	h.await(t, s.more(t, aWhile))
	s.end()
	lost := h.missing(t, s)
	if len(lost) < aWhile/2 {
		t.Fatalf("%d are missing", len(lost))
	}
	s.within(t, lost, h.gaps())
	h.fits(t, s)
}
