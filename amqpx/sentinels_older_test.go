package amqpx_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"

	"github.com/clu-ws/clu-ws/amqpx"
	"github.com/clu-ws/clu-ws/internal/testkit"
)

// olderSentinel declares the exchange to which an earlier version bound the link's exchange.
func olderSentinel(t *testing.T, ch *amqp.Channel, name string) {
	t.Helper()
	if err := ch.ExchangeDeclare(name, "fanout", false, true, true, false, nil); err != nil {
		t.Fatal(err)
	}
	if err := ch.ExchangeBind("test", "", name, false, nil); err != nil {
		t.Fatal(err)
	}
}

// olderRestartSentinel declares the exchange to which an earlier version bound a kept queue.
func olderRestartSentinel(t *testing.T, ch *amqp.Channel, name, queue string) {
	t.Helper()
	if err := ch.ExchangeDeclare(name, "fanout", false, true, true, false, nil); err != nil {
		t.Fatal(err)
	}
	if err := ch.QueueBind(queue, "", name, false, nil); err != nil {
		t.Fatal(err)
	}
}

// awaitExchanges waits until the broker has exactly these exchanges whose names begin with
// link.
func awaitExchanges(t *testing.T, url string, want ...string) {
	t.Helper()
	slices.Sort(want)
	testkit.Eventually(t, testkit.Patience, "the exchanges are "+strings.Join(want, " "), func() error {
		var got []string
		for _, name := range testkit.RabbitMQ(t).Exchanges(t, vhostOf(url)) {
			if strings.HasPrefix(name, "link") {
				got = append(got, name)
			}
		}
		slices.Sort(got)
		if !slices.Equal(got, want) {
			return fmt.Errorf("there are %q", got)
		}
		return nil
	})
}

func TestTheSentinelThatAnEarlierVersionLeftIsDeleted(t *testing.T) {
	t.Parallel()
	url := testkit.RabbitMQ(t).NewVHost(t)
	ch := client(t, url)
	if err := ch.ExchangeDeclare("test", "topic", false, true, false, false, nil); err != nil {
		t.Fatal(err)
	}
	olderSentinel(t, ch, "link_replies_tie")
	w := run(t, amqpx.Config{URLs: []string{url}})
	w.await(t, true)
	names := testkit.RabbitMQ(t).Exchanges(t, vhostOf(url))
	if slices.Contains(names, "link_replies_tie") || !slices.Contains(names, "link_replies_sentinel") {
		t.Errorf("the exchanges are %q", names)
	}
}

func TestAKeptQueueOfAnEarlierVersionIsTakenOverWithItsBindings(t *testing.T) {
	t.Parallel()
	const (
		anything   = ".*"
		noSentinel = "^(test|link|link_kept(_dropped|_gate|_gated|_restart_sentinel)?)$"
		listen     = "^(link.*|amq\\.default)$"
	)
	none, gap := []event{{number: 1}, {number: 2}}, []event{{number: 1}, aGap, {number: 2}}
	for name, c := range map[string]struct {
		bound            bool   // without a break
		configure, write string // what the user may
		want             []event
	}{
		"without a gap, if they are intact":                     {true, anything, anything, none},
		"with a gap, if the exchange was deleted":               {false, anything, anything, gap},
		"without a gap, if there never was a sentinel":          {false, anything, listen, none},
		"without a gap, though the new sentinel is refused":     {true, noSentinel, anything, none},
		"with a gap, if no sentinel shows that they are intact": {false, noSentinel, anything, gap},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			n := testkit.RabbitMQ(t)
			url := n.NewVHost(t)
			user := "older-" + vhostOf(url)
			n.AddUser(t, user, "secret")
			n.SetPermissions(t, vhostOf(url), user, c.configure, c.write, anything)
			leaveOlderKeptQueue(t, url, c.bound)
			var h recorder
			cfg := amqpx.Config{
				URLs:   []string{strings.Replace(url, "guest:guest", user+":secret", 1)},
				Queues: []amqpx.Queue{h.of(keptFor(time.Minute))},
			}
			run(t, cfg).await(t, true)
			publish(t, client(t, url), 2)
			h.expect(t, c.want...)
			if c.configure == anything && c.write == anything {
				awaitExchanges(t, url, "link_kept_gate", "link_kept_gated", "link_kept_sentinel", "link_kept_restart_sentinel")
			}
		})
	}
}

// leaveOlderKeptQueue leaves a kept queue as an earlier version does, with a message in it. bound: the
// exchange has not been deleted since.
func leaveOlderKeptQueue(t *testing.T, url string, bound bool) {
	t.Helper()
	var h recorder
	w := run(t, amqpx.Config{URLs: []string{url}, Queues: []amqpx.Queue{h.of(keptFor(time.Minute))}})
	w.await(t, true)
	w.stop()
	testkit.Await(t, w.ended)
	ch := client(t, url)
	publish(t, ch, 1)
	if bound {
		olderSentinel(t, ch, "link_kept_tie")
	}
	olderRestartSentinel(t, ch, "link_kept_witness", "link_kept")
	for _, name := range []string{"link_kept_sentinel", "link_kept_restart_sentinel"} {
		if err := ch.ExchangeDelete(name, false, false); err != nil {
			t.Fatal(err)
		}
	}
}
