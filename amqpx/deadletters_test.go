package amqpx_test

import (
	"fmt"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"

	"github.com/clu-ws/clu-ws/amqpx"
	"github.com/clu-ws/clu-ws/amqpx/broker"
	"github.com/clu-ws/clu-ws/internal/testkit"
)

// setPolicy sets a policy on all queues of the virtual host.
func setPolicy(t *testing.T, url, definition string) {
	t.Helper()
	testkit.RabbitMQ(t).SetPolicy(t, vhostOf(url), definition)
}

// The receiver is slow while the broker removes messages that wait for it.
func TestWhatAPolicyRemovesIsAGap(t *testing.T) {
	t.Parallel()
	exclusive, kept := amqpx.Queue{Name: "link_exclusive"}, keptFor(time.Minute)
	for _, c := range []struct {
		name       string
		queue      amqpx.Queue
		definition string
		reason     string
	}{
		{"exclusive", exclusive, `{"max-length":50}`, "max-length"},
		{"exclusive", exclusive, `{"max-length":50,"overflow":"reject-publish"}`, "max-length"},
		{"exclusive", exclusive, `{"message-ttl":100}`, "message-ttl"},
		{"kept", kept, `{"max-length":50}`, "max-length"},
		{"kept", kept, `{"message-ttl":100}`, "message-ttl"},
	} {
		t.Run(c.name+" "+c.definition, func(t *testing.T) {
			t.Parallel()
			url := testkit.RabbitMQ(t).NewVHost(t)
			setPolicy(t, url, c.definition)
			var h recorder
			var log lines
			var once sync.Once
			q := h.of(c.queue)
			deliver, stuck, goOn := q.Deliver, make(chan struct{}), make(chan struct{})
			q.Deliver = func(d *amqpx.Delivery) {
				deliver(d)
				if n, _ := strconv.Atoi(string(d.Body)); n >= 200 {
					once.Do(func() { close(stuck); <-goOn })
				}
			}
			w := run(t, amqpx.Config{URLs: []string{url}, Prefetch: 20, Queues: []amqpx.Queue{q}, Logger: log.logger()})
			w.await(t, true)
			s := startSender(t, url)
			testkit.Await(t, stuck)
			testkit.Eventually(t, testkit.Patience, "the broker removes messages", func() error {
				if len(log.with("removes messages from the queue")) == 0 {
					return fmt.Errorf("it has not")
				}
				return nil
			})
			s.more(t, aWhile)
			close(goOn)
			h.await(t, s.more(t, aWhile))
			s.end()
			lost := h.missing(t, s)
			if len(lost) < 100 {
				t.Errorf("%d are missing", len(lost))
			}
			testkit.Eventually(t, testkit.Patience, "everything that is missing is reported", func() error {
				if untold := s.outside(lost, h.gaps()); len(untold) > 0 {
					return fmt.Errorf("%v are missing outside of the gaps %v", untold, h.gaps())
				}
				return nil
			})
			if all := log.with("removes messages from the queue"); len(all) != 1 || !strings.Contains(all[0], c.reason) {
				t.Errorf("the log says %q", all)
			}
		})
	}
}

// The queue outlives the link.
func TestWhatAPolicyRemovesWhileTheLinkIsDownIsAGapInItsPlace(t *testing.T) {
	t.Parallel()
	direct, proxied, p := behindProxy(t)
	setPolicy(t, direct, `{"max-length":3}`)
	var h recorder
	before := time.Now() // on a busy machine no watermark comes back, and the gap begins with the link
	w := run(t, amqpx.Config{URLs: []string{proxied}, Queues: []amqpx.Queue{h.of(keptFor(time.Minute))}})
	w.await(t, true)
	ch := client(t, direct)
	publish(t, ch, 1)
	h.await(t, 1)
	p.refuse(true)
	w.await(t, false)
	awaitNoConsumer(t, ch)
	publish(t, ch, 2, 3, 4, 5, 6, 7)
	after := time.Now()
	p.refuse(false)
	w.await(t, true)
	publish(t, ch, 8)
	h.expect(t, event{number: 1}, aGap, event{number: 5}, event{number: 6}, event{number: 7}, event{number: 8})
	if g := h.gaps()[0]; g.From.After(after) || g.To.Before(after) || g.From.Before(before.Add(-slack)) {
		t.Errorf("the gap is %v; the link was away between %v and %v", g, before, after)
	}
	w.stop()
	testkit.Await(t, w.ended)

	// A new process does not know when the gap started.
	publish(t, ch, 9, 10, 11, 12)
	var second recorder
	w = run(t, amqpx.Config{URLs: []string{proxied}, Queues: []amqpx.Queue{second.of(keptFor(time.Minute))}})
	w.await(t, true)
	// The link probes the queue with a marker, which also displaces 10.
	second.expect(t, aGap, event{number: 11}, event{number: 12})
	if g := second.gaps()[0]; !g.From.IsZero() {
		t.Errorf("the gap begins at %v", g.From)
	}
}

func TestAnExpirationOfTheSendersOwnIsAGap(t *testing.T) {
	t.Parallel()
	url := testkit.RabbitMQ(t).NewVHost(t)
	var h recorder
	q := h.of(amqpx.Queue{Name: "link_exclusive"})
	deliver, stuck, goOn := q.Deliver, make(chan struct{}), make(chan struct{})
	q.Deliver = func(d *amqpx.Delivery) {
		if deliver(d); string(d.Body) == "1" {
			close(stuck)
			<-goOn
		}
	}
	var log lines
	w := run(t, amqpx.Config{URLs: []string{url}, Prefetch: 1, Queues: []amqpx.Queue{q}, Logger: log.logger()})
	w.await(t, true)
	ch := client(t, url)
	publish(t, ch, 1)
	testkit.Await(t, stuck)
	c, err := ch.PublishWithDeferredConfirm("test", "reply.me", false, false, amqp.Publishing{Body: []byte("2"), Expiration: "1"})
	if err != nil || !c.Wait() {
		t.Fatalf("2 is not confirmed: %v", err)
	}
	testkit.Eventually(t, testkit.Patience, "it has expired", func() error {
		if len(log.with("removes messages from the queue")) == 0 {
			return fmt.Errorf("it has not")
		}
		return nil
	})
	publish(t, ch, 3)
	close(goOn)
	h.await(t, 3)
	testkit.Eventually(t, testkit.Patience, "the gap is reported", func() error {
		if len(h.gaps()) != 1 {
			return fmt.Errorf("the gaps are %v", h.gaps())
		}
		return nil
	})
}

func TestALinkWithoutDeadLettersLogsThatOnce(t *testing.T) {
	t.Parallel()
	n := testkit.RabbitMQ(t)
	url := n.NewVHost(t)
	vhost := url[strings.LastIndex(url, "/")+1:]
	n.AddUser(t, "undropped", "secret")
	n.SetPermissions(t, vhost, "undropped", ".*", "^(link_.*|test)$", ".*")
	address, _, _ := strings.Cut(strings.TrimPrefix(url, "amqp://guest:guest@"), "/")
	for name, queue := range map[string]amqpx.Queue{
		"exclusive": {Name: "link_exclusive"},
		"kept":      keptFor(time.Minute),
	} {
		t.Run(name, func(t *testing.T) {
			p := newProxy(t, address)
			proxied := strings.Replace(p.url(), "guest:guest@", "undropped:secret@", 1) + vhost
			var h recorder
			var log lines
			w := run(t, amqpx.Config{URLs: []string{proxied}, Queues: []amqpx.Queue{h.of(queue)}, Logger: log.logger()})
			w.await(t, true)
			p.refuse(true)
			p.refuse(false)
			w.await(t, false)
			w.await(t, true)
			publish(t, client(t, strings.Replace(proxied, "undropped:secret", "guest:guest", 1)), 1)
			h.await(t, 1)
			if all := log.with("does not dead-letter"); len(all) != 1 || !strings.Contains(all[0], "level=INFO") || !strings.Contains(all[0], "let the user write to amq.default") {
				t.Errorf("the log says %q", all)
			}
		})
	}
}

func TestTheEmbeddedBrokerIsNotAskedForDeadLetters(t *testing.T) {
	t.Parallel()
	var h recorder
	var log lines
	n := newEmbeddedWith(t, broker.Config{Logger: log.logger()})
	w := run(t, amqpx.Config{URLs: []string{n.url()}, Queues: []amqpx.Queue{h.of(amqpx.Queue{Name: "link"})}, Logger: log.logger()})
	w.await(t, true)
	if all := append(log.with("level=WARN"), log.with("dead-letter")...); len(all) != 0 {
		t.Errorf("the logs of the link and the broker say %q", all)
	}
}

// A policy that removes messages after a moment also removes the dead letters while the link waits to
// read the next one.
func TestWhatAPolicyRemovesJustAfterAGapIsAnotherGap(t *testing.T) {
	t.Parallel()
	url := testkit.RabbitMQ(t).NewVHost(t)
	setPolicy(t, url, `{"message-ttl":500}`) // a busy link gets what there is room for in time
	var h recorder
	q := h.of(keptFor(time.Minute))
	deliver, stuck, goOn := q.Deliver, make(chan struct{}), make(chan struct{})
	q.Deliver = func(d *amqpx.Delivery) {
		deliver(d)
		if n, _ := strconv.Atoi(string(d.Body)); n%10 == 0 {
			stuck <- struct{}{}
			<-goOn
		}
	}
	const prefetch = 4
	w := run(t, amqpx.Config{URLs: []string{url}, Prefetch: prefetch, Queues: []amqpx.Queue{q}})
	w.await(t, true)
	ch := client(t, url)
	for round := range 2 {
		publish(t, ch, numbers10(round, prefetch)...)
		testkit.Await(t, stuck)
		began := time.Now()
		publish(t, ch, 10*round+9) // there is no room for it
		for _, queue := range []string{"link_kept", "link_kept_dropped"} {
			testkit.Eventually(t, testkit.Patience, "nothing is left in "+queue, func() error {
				found, err := ch.QueueDeclarePassive(queue, true, false, false, false, nil)
				if err == nil && found.Messages > 0 {
					err = fmt.Errorf("there are %d", found.Messages)
				}
				return err
			})
		}
		goOn <- struct{}{}
		testkit.Eventually(t, testkit.Patience, "the gap is reported", func() error {
			gaps := h.gaps()
			if len(gaps) == 0 || gaps[len(gaps)-1].To.Before(began) {
				return fmt.Errorf("they are %v", gaps)
			}
			return nil
		})
	}
}

// numbers10 returns the multiples of ten.
func numbers10(tens, count int) (all []int) {
	for n := range count {
		all = append(all, 10*tens+n)
	}
	return all
}
