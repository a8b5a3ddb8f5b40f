package amqpx_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/clu-ws/clu-ws/amqpx"
	"github.com/clu-ws/clu-ws/internal/testkit"
)

// deleteExchange deletes the exchange "test", as an operator would. It returns a time by which that is done.
func deleteExchange(t *testing.T, url string) time.Time {
	t.Helper()
	if err := client(t, url).ExchangeDelete("test", false, false); err != nil {
		t.Fatal(err)
	}
	return time.Now()
}

// replaceExchange deletes the exchange "test" and declares it again, without a wait in between.
func replaceExchange(t *testing.T, url string) {
	t.Helper()
	const ifUnused, noWait = false, true
	ch := client(t, url)
	if err := ch.ExchangeDelete("test", ifUnused, noWait); err != nil {
		t.Fatal(err)
	}
	if err := ch.ExchangeDeclare("test", "topic", false, true, false, false, nil); err != nil {
		t.Fatal(err)
	}
}

func TestAnExchangeThatIsDeletedUnderTrafficAndDeclaredAgainAtOnceIsAGap(t *testing.T) {
	t.Parallel()
	url := testkit.RabbitMQ(t).NewVHost(t)
	r := runThree(t, url, 0)
	var beside recorder
	other := run(t, amqpx.Config{URLs: []string{url}, Queues: []amqpx.Queue{
		beside.of(amqpx.Queue{Name: "other", Stream: &amqpx.Stream{Name: "history", MaxBytes: 1 << 24}}),
	}})
	other.await(t, true)
	s := startSender(t, url)
	r.awaitAll(t, s.more(t, aWhile))
	replaceExchange(t, url)
	r.await(t, false)
	r.await(t, true)
	last := s.more(t, aWhile)
	r.awaitAll(t, last)
	beside.await(t, last)
	s.end()
	for name, h := range map[string]*recorder{"exclusive queue": &r.exclusive, "queue that lives on": &r.kept, "stream": &r.stream, "stream, read by another": &beside} {
		lost, gaps := h.missing(t, s), h.gaps()
		if strings.HasPrefix(name, "stream") {
			gaps = joined(gaps)
		}
		if len(lost) == 0 || len(gaps) != 1 {
			t.Fatalf("%s: %d are lost, and the gaps are %v", name, len(lost), gaps)
		}
		s.within(t, lost, gaps)
	}
}

func TestAnExchangeThatIsDeletedUnderAnIdleLinkIsDeclaredAgain(t *testing.T) {
	t.Parallel()
	for name, url := range map[string]string{"embedded": newEmbedded(t).url(), "RabbitMQ": testkit.RabbitMQ(t).NewVHost(t)} {
		var h recorder
		w := run(t, amqpx.Config{URLs: []string{url}, Queues: []amqpx.Queue{h.of(amqpx.Queue{Name: "link_exclusive"})}})
		w.await(t, true)
		deleted := deleteExchange(t, url)
		if s := testkit.Receive(t, w.states); s.Up || !strings.Contains(s.Err.Error(), `"test" was deleted`) {
			t.Errorf("%s: the state is %+v", name, s)
		}
		w.await(t, true)
		publish(t, client(t, url), 1)
		h.expect(t, aGap, event{number: 1})
		if g := h.gaps()[0]; g.From.After(deleted) {
			t.Errorf("%s: the gap %v begins after the exchange was deleted, at %v", name, g, deleted)
		}
	}
}

func TestAPublishToADeletedExchangeDoesNotShortenTheGap(t *testing.T) {
	t.Parallel()
	url := testkit.RabbitMQ(t).NewVHost(t)
	r := runThree(t, url, 0)
	deleted := deleteExchange(t, url)
	<-time.After(200 * time.Millisecond) // the gap itself is the time: more than a message may be under way
	r.send(t, "reply.me", "x")
	r.await(t, false)
	r.await(t, true)
	publish(t, client(t, url), 1)
	r.awaitAll(t, 1)
	for name, h := range map[string]*recorder{"exclusive queue": &r.exclusive, "queue that lives on": &r.kept, "stream": &r.stream} {
		if gaps := h.gaps(); len(gaps) != 1 || gaps[0].From.After(deleted) {
			t.Errorf("%s: the gaps are %v; the exchange was deleted at %v", name, gaps, deleted)
		}
	}
}

func TestAMissingBindingIsMadeAgainWithoutASentinel(t *testing.T) {
	t.Parallel()
	n := testkit.RabbitMQ(t)
	for name, q := range map[string]amqpx.Queue{"exclusive": {Name: "link_q"}, "kept": {Name: "link_q", Expires: time.Minute}} {
		t.Run(name, func(t *testing.T) {
			url := n.NewVHost(t)
			vhost := url[strings.LastIndex(url, "/")+1:]
			user := "limited-" + name
			n.AddUser(t, user, "secret")
			n.SetPermissions(t, vhost, user, "^(test|link_q|link_q_kept|link_q_kept_restart_sentinel)$", ".*", ".*")
			var h recorder
			cfg := amqpx.Config{URLs: []string{strings.Replace(url, "guest:guest", user+":secret", 1)}, Queues: []amqpx.Queue{h.of(q)}}
			w := run(t, cfg)
			w.await(t, true)
			deleteExchange(t, url)
			w.await(t, false)
			w.await(t, true)
			publish(t, client(t, url), 1)
			h.expect(t, aGap, event{number: 1})
			if q.Expires == 0 {
				return
			}
			w.stop()
			testkit.Await(t, w.ended)
			w = run(t, cfg)
			w.await(t, true)
			publish(t, client(t, url), 2)
			h.expect(t, aGap, event{number: 1}, event{number: 2}) // no false gap
		})
	}
}

func TestALinkThatMayOnlyListenStaysUpAndSendsNothingAndLeavesNoSentinel(t *testing.T) {
	t.Parallel()
	n := testkit.RabbitMQ(t)
	url := n.NewVHost(t)
	vhost := url[strings.LastIndex(url, "/")+1:]
	n.AddUser(t, "reader", "secret")
	n.SetPermissions(t, vhost, "reader", ".*", "^link_.*", ".*")
	w := run(t, amqpx.Config{URLs: []string{strings.Replace(url, "guest:guest", "reader:secret", 1)}})
	w.await(t, true)
	err := w.Publish(amqpx.Message{Key: "command.x"}, func(o amqpx.Outcome) { t.Errorf("it was sent: %v", o) })
	if err == nil || !strings.Contains(err.Error(), `write to the exchange "test"`) {
		t.Errorf("a command: %v", err)
	}
	publish(t, client(t, url), 1)
	if got := testkit.Receive(t, w.deliveries); got != "1" || len(w.states) > 0 {
		t.Errorf("%q came, and then %d changes of state", got, len(w.states))
	}
	// Every so often the link asks with a sentinel whether it may send now.
	awaitNoSentinels(t, n, vhost)
}

// awaitNoSentinels waits until all sentinels are deleted.
func awaitNoSentinels(t *testing.T, n *testkit.Node, vhost string) {
	t.Helper()
	testkit.Eventually(t, testkit.Patience, "the sentinels are deleted", func() error {
		if all := sentinelsIn(n.Exchanges(t, vhost)); len(all) > 0 {
			return fmt.Errorf("there are %q", all)
		}
		return nil
	})
}

func TestAQueueThatIsDeletedByHandIsMadeAgainAtOnce(t *testing.T) {
	t.Parallel()
	url := testkit.RabbitMQ(t).NewVHost(t)
	vhost := url[strings.LastIndex(url, "/")+1:]
	r := runThree(t, url, 0)
	// RabbitMQ up to 4.0 stops the channel of a sender with more than 32 messages on their way to a quorum
	// queue that is deleted.
	s := startSenderWith(t, url, 30, 0)
	queues := map[string]*recorder{"link_exclusive": &r.exclusive, "link_kept": &r.kept}
	for name := range queues {
		r.awaitAll(t, s.more(t, aWhile))
		testkit.RabbitMQ(t).DeleteQueue(t, vhost, name)
		r.await(t, false)
		r.await(t, true)
	}
	r.awaitAll(t, s.more(t, aWhile))
	s.end()
	for name, h := range queues {
		lost, gaps := h.missing(t, s), h.gaps()
		if len(gaps) == 0 {
			t.Errorf("%s: no gap is reported", name)
		}
		s.within(t, lost, gaps)
		h.fits(t, s)
	}
}

func TestALinkThatStopsLeavesNoSentinelBehind(t *testing.T) {
	t.Parallel()
	url := testkit.RabbitMQ(t).NewVHost(t)
	other := client(t, url)
	if err := other.ExchangeDeclare("test", "topic", false, true, false, false, nil); err != nil {
		t.Fatal(err)
	}
	w := run(t, amqpx.Config{URLs: []string{url}})
	w.await(t, true)
	if !slices.Contains(testkit.RabbitMQ(t).Exchanges(t, vhostOf(url)), "link_replies_sentinel") {
		t.Fatal("there is no sentinel")
	}
	w.stop()
	testkit.Await(t, w.ended)
	awaitNoSentinels(t, testkit.RabbitMQ(t), vhostOf(url))
}

func TestARefusedBindingIsNotRepeatedEverySecond(t *testing.T) {
	t.Parallel()
	n := testkit.RabbitMQ(t)
	url, vhost := userWithoutSentinel(t, n, "revoked")
	w := run(t, amqpx.Config{URLs: []string{url}})
	w.await(t, true)
	n.SetPermissions(t, vhost, "revoked", "^(test|link_replies)$", ".*", "^link_.*")
	<-time.After(4 * time.Second) // four checks: what must not happen has no event
	lines := 0
	for line := range strings.Lines(n.Log()) {
		if strings.Contains(line, "queue.bind") && strings.Contains(line, "'revoked'") {
			lines++
		}
	}
	if lines > 1 || len(w.states) > 0 {
		t.Errorf("the broker refused %d times, and there were %d changes of state", lines, len(w.states))
	}
	publish(t, client(t, url), 1)
	if got := testkit.Receive(t, w.deliveries); got != "1" {
		t.Errorf("%q came", got)
	}
}
