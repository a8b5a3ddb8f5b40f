package amqpx_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"

	"github.com/clu-ws/clu-ws/amqpx"
	"github.com/clu-ws/clu-ws/internal/testkit"
)

// RabbitMQ 3.10 and 4.0 read nothing more from a channel when a quorum queue is deleted while many
// of the channel's messages are on their way to it.
func TestAKeptQueueThatExpiresUnderTrafficStopsNoPublisher(t *testing.T) {
	t.Parallel()
	url := testkit.RabbitMQ(t).NewVHost(t)
	vhost := url[strings.LastIndex(url, "/")+1:]
	var h recorder
	w := run(t, amqpx.Config{URLs: []string{url}, Queues: []amqpx.Queue{h.of(keptFor(3 * time.Second))}})
	w.await(t, true)
	ch := client(t, url)
	keepExchange(t, ch)
	gone := make(chan struct{})
	published := make(chan int)
	go func() {
		count := 0
		defer func() { published <- count }()
		const window = 200
		tick := time.NewTicker(time.Millisecond) // no faster than one a millisecond
		defer tick.Stop()
		confirms := make(chan *amqp.DeferredConfirmation, window)
		for running := true; running || len(confirms) > 0; {
			select {
			case <-gone:
				running = false
			default:
			}
			if running && len(confirms) < window {
				<-tick.C
				c, err := ch.PublishWithDeferredConfirm("test", "reply.me", false, false, amqp.Publishing{Body: []byte("1")})
				if err != nil {
					t.Error(err)
					return
				}
				confirms <- c
				continue
			}
			select {
			case <-(<-confirms).Done():
				count++
			case <-time.After(testkit.Patience):
				t.Errorf("the broker confirms nothing more after %d", count)
				return
			}
		}
	}()
	h.await(t, 1)
	w.stop()
	testkit.Await(t, w.ended)
	awaitGone(t, testkit.RabbitMQ(t).Queues, vhost, "link_kept_dropped")
	awaitGone(t, testkit.RabbitMQ(t).Exchanges, vhost, "link_kept_gate")
	awaitGone(t, testkit.RabbitMQ(t).Queues, vhost, "link_kept")
	close(gone)
	t.Logf("%d were confirmed", <-published)
}

func TestAMissingGateIsMadeAgainAndIsAGap(t *testing.T) {
	t.Parallel()
	for name, remove := range map[string]func(*testing.T, *amqp.Channel) error{
		"deleted by hand": func(_ *testing.T, ch *amqp.Channel) error { return ch.ExchangeDelete("link_kept_gate", false, false) },
		"with its queue": func(_ *testing.T, ch *amqp.Channel) error {
			_, err := ch.QueueDelete("link_kept_dropped", false, false, false)
			return err
		},
		"what is behind it": func(_ *testing.T, ch *amqp.Channel) error { return ch.ExchangeDelete("link_kept_gated", false, false) },
		"and what is behind it": func(_ *testing.T, ch *amqp.Channel) error {
			if err := ch.ExchangeDelete("link_kept_gated", false, false); err != nil {
				return err
			}
			return ch.ExchangeDelete("link_kept_gate", false, false)
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			url := testkit.RabbitMQ(t).NewVHost(t)
			var h recorder
			w := run(t, amqpx.Config{URLs: []string{url}, Queues: []amqpx.Queue{h.of(keptFor(time.Minute))}})
			w.await(t, true)
			ch := client(t, url)
			keepExchange(t, ch)
			publish(t, ch, 1)
			h.await(t, 1)
			if err := remove(t, ch); err != nil {
				t.Fatal(err)
			}
			before := time.Now()
			publish(t, ch, 2)
			lost := len(w.states) == 0 // a busy publisher may be slower than the link
			s := testkit.Receive(t, w.states)
			for s.Up {
				s = testkit.Receive(t, w.states)
			}
			if !strings.Contains(s.Err.Error(), `"link_kept_gate" was deleted`) {
				t.Errorf("the state is %+v", s)
			}
			w.await(t, true)
			publish(t, ch, 3)
			h.await(t, 3)
			if !lost && slices.ContainsFunc(h.all(), func(e event) bool { return e.number == 2 }) {
				h.expect(t, event{number: 1}, aGap, event{number: 2}, event{number: 3})
				return
			}
			h.expect(t, event{number: 1}, aGap, event{number: 3})
			if g := h.gaps()[0]; lost && (g.From.After(before) || g.To.Before(before)) {
				t.Errorf("2, sent at %v, is not in %v", before, g)
			}
		})
	}
}

func isGate(name string) bool { return strings.HasPrefix(name, "link_kept_gate") }

func TestAQueueThatWasBoundWithoutAGateGetsOne(t *testing.T) {
	t.Parallel()
	n := testkit.RabbitMQ(t)
	const most = "^(test|link|link_kept|link_kept_dropped|link_kept_sentinel|link_kept_restart_sentinel|amq\\.default)$"
	for name, c := range map[string]struct{ configure, write string }{
		"no gate may be made":            {most, ".*"},
		"it may not be bound":            {".*", strings.Replace(most, "test", "test|link_kept_gated", 1)},
		"nothing may come out behind it": {".*", strings.Replace(most, "test", "test|link_kept_gate", 1)},
		"neither":                        {".*", most},
	} {
		t.Run(name, func(t *testing.T) {
			url := n.NewVHost(t)
			vhost := url[strings.LastIndex(url, "/")+1:]
			user := strings.ReplaceAll("gateless "+name, " ", "-")
			n.AddUser(t, user, "secret")
			n.SetPermissions(t, vhost, user, c.configure, c.write, ".*")
			var h recorder
			var log lines
			limited := strings.Replace(url, "guest:guest", user+":secret", 1)
			ch := client(t, url)
			var want []event
			for i, as := range []string{limited, limited, url, url} {
				w := run(t, amqpx.Config{URLs: []string{as}, Queues: []amqpx.Queue{h.of(keptFor(time.Minute))}, Logger: log.logger()})
				w.await(t, true)
				publish(t, ch, 2*i)
				want = append(want, event{number: 2 * i})
				h.expect(t, want...) // once each, and no false gap
				awaitAcknowledged(t, testkit.RabbitMQ(t), vhostOf(url))
				w.stop()
				testkit.Await(t, w.ended)
				publish(t, ch, 2*i+1)
				want = append(want, event{number: 2*i + 1})
			}
			if all := log.with("has no gate"); len(all) != 2 || !strings.Contains(all[0], "link_kept_gate") {
				t.Errorf("the log says %q", all)
			}
			if all := n.BoundTo(t, vhost, "test"); slices.Contains(all, "link_kept") || !slices.ContainsFunc(all, isGate) {
				t.Errorf("bound are %q", all)
			}
		})
	}
}
