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

// client returns a confirming channel of the test.
func client(t *testing.T, url string) *amqp.Channel {
	t.Helper()
	ch := testkit.OpenChannel(t, url)
	if err := ch.Confirm(false); err != nil {
		t.Fatal(err)
	}
	return ch
}

// publish publishes numbers to the exchange "test", and waits for the confirms.
func publish(t *testing.T, ch *amqp.Channel, numbers ...int) {
	t.Helper()
	for _, n := range numbers {
		text := fmt.Sprint(n)
		c, err := ch.PublishWithDeferredConfirm("test", "reply.me", false, false, amqp.Publishing{MessageId: text, Body: []byte(text)})
		if err != nil || !c.Wait() {
			t.Fatalf("%d is not confirmed: %v", n, err)
		}
	}
}

func (h *recorder) expect(t *testing.T, want ...event) {
	t.Helper()
	testkit.Eventually(t, testkit.Patience, "all is heard", func() error {
		if got := len(h.all()); got < len(want) {
			return fmt.Errorf("%d of %d", got, len(want))
		}
		return nil
	})
	got := h.all()
	same := slices.EqualFunc(got, want, func(a, b event) bool {
		return a.number == b.number && a.live == b.live && (a.gap == nil) == (b.gap == nil)
	})
	if !same {
		t.Errorf("heard %+v, want %+v", got, want)
	}
}

func numbers(from, to int) (all []event) {
	for n := from; n <= to; n++ {
		all = append(all, event{number: n})
	}
	return all
}

var (
	aGap = event{number: -1, gap: &amqpx.Gap{}}
	live = event{number: -1, live: true}
)

func keptFor(d time.Duration) amqpx.Queue { return amqpx.Queue{Name: "link", Expires: d} }

func history(name string, past uint64) amqpx.Queue {
	return amqpx.Queue{Name: name, Stream: &amqpx.Stream{Name: "history", MaxAge: time.Hour, Backlog: past}}
}

func TestAQueueThatExpiredWhileTheLinkWasDownIsAGap(t *testing.T) {
	t.Parallel()
	// Its gate is deleted with the first queue.
	for _, gone := range []string{"link_kept_dropped", "link_kept"} {
		t.Run(gone, func(t *testing.T) {
			t.Parallel()
			expired(t, gone)
		})
	}
}

// awaitGone waits until a queue or an exchange is deleted.
func awaitGone(t *testing.T, list func(testing.TB, string) []string, vhost, name string) {
	t.Helper()
	testkit.Eventually(t, testkit.Patience, name+" is gone", func() error {
		if slices.Contains(list(t, vhost), name) {
			return fmt.Errorf("it is there")
		}
		return nil
	})
}

func expired(t *testing.T, gone string) {
	url, proxied, p := behindProxy(t)
	vhost := url[strings.LastIndex(url, "/")+1:]
	var h recorder
	w := run(t, amqpx.Config{URLs: []string{proxied}, Queues: []amqpx.Queue{h.of(keptFor(3 * time.Second))}})
	w.await(t, true)
	ch := client(t, url)
	publish(t, ch, 1)
	h.await(t, 1)
	p.refuse(true)
	w.await(t, false)
	awaitGone(t, testkit.RabbitMQ(t).Queues, vhost, gone)
	if err := ch.ExchangeDeclare("test", "topic", false, true, false, false, nil); err != nil {
		t.Fatal(err)
	}
	before := time.Now()
	publish(t, ch, 2)
	p.refuse(false)
	w.await(t, true)
	publish(t, ch, 3)
	h.expect(t, event{number: 1}, aGap, event{number: 3})
	if g := h.gaps()[0]; g.From.After(before) || g.To.Before(before) {
		t.Errorf("2, sent at %v, is not in %v", before, g)
	}
}

func TestOnlyOneLinkHasAName(t *testing.T) {
	t.Parallel()
	for name, q := range map[string]amqpx.Queue{"kept queue": keptFor(time.Minute), "stream": history("link", 0)} {
		t.Run(name, func(t *testing.T) {
			url := testkit.RabbitMQ(t).NewVHost(t) // each has one, as the name is free only a moment after its link has ended
			var first, second recorder
			w := run(t, amqpx.Config{URLs: []string{url}, Queues: []amqpx.Queue{first.of(q)}})
			w.await(t, true)
			other := run(t, amqpx.Config{URLs: []string{url}, Queues: []amqpx.Queue{second.of(q)}})
			if s := testkit.Receive(t, other.states); s.Up || !strings.Contains(s.Err.Error(), `another program named "link" is running`) {
				t.Errorf("the state is %+v", s)
			}
		})
	}
}

func TestALinkIsMadeSoonAfterItsNameIsFree(t *testing.T) {
	url := newEmbedded(t).url()
	first := run(t, amqpx.Config{URLs: []string{url}})
	first.await(t, true)
	second := run(t, amqpx.Config{URLs: []string{url}})
	second.await(t, false)
	first.stop()
	testkit.Await(t, first.ended)
	freed := time.Now()
	second.await(t, true)
	if took := time.Since(freed); took > 10*time.Second {
		t.Errorf("it took %v", took)
	}
}

func TestAQueueOrStreamWithOtherPropertiesIsExplained(t *testing.T) {
	t.Parallel()
	url := testkit.RabbitMQ(t).NewVHost(t)
	smaller := history("other", 0)
	smaller.Stream.MaxBytes = 1000
	for name, c := range map[string]struct {
		first, then amqpx.Queue
		words       string
	}{
		"kept for another time":    {keptFor(time.Minute), keptFor(time.Hour), `the queue "link_kept"`},
		"a stream of another size": {history("link", 0), smaller, `the stream "history"`},
	} {
		t.Run(name, func(t *testing.T) {
			var h recorder
			w := run(t, amqpx.Config{URLs: []string{url}, Queues: []amqpx.Queue{h.of(c.first)}})
			w.await(t, true)
			w.stop()
			testkit.Await(t, w.ended)
			noticed(t, testkit.RabbitMQ(t), vhostOf(url))
			w = run(t, amqpx.Config{URLs: []string{url}, Queues: []amqpx.Queue{h.of(c.then)}})
			if s := testkit.Receive(t, w.states); s.Up || !strings.Contains(s.Err.Error(), c.words) || !strings.Contains(s.Err.Error(), "delete it") {
				t.Errorf("the state is %+v", s)
			}
		})
	}
}

func TestABrokerWithoutStreamsOrExpiryIsExplained(t *testing.T) {
	e := newEmbedded(t)
	for words, q := range map[string]amqpx.Queue{"has no streams": history("link", 0), "keeps no queue without a connection": keptFor(time.Minute)} {
		var h recorder
		w := run(t, amqpx.Config{URLs: []string{e.url()}, Queues: []amqpx.Queue{h.of(q)}})
		if s := testkit.Receive(t, w.states); s.Up || !strings.Contains(s.Err.Error(), words) {
			t.Errorf("the state is %+v", s)
		}
	}
}

func TestAStopLeavesNothingToComeAgain(t *testing.T) {
	t.Parallel()
	url := testkit.RabbitMQ(t).NewVHost(t)
	var first, second recorder
	q := first.of(keptFor(time.Minute))
	deliver, stop := q.Deliver, make(chan struct{})
	q.Deliver = func(d *amqpx.Delivery) {
		if deliver(d); string(d.Body) == "2" {
			close(stop) // before it can be acknowledged
		}
	}
	w := run(t, amqpx.Config{URLs: []string{url}, Queues: []amqpx.Queue{q}})
	w.await(t, true)
	ch := client(t, url)
	publish(t, ch, 0, 1)
	if err := ch.Publish("test", "reply.me", false, false, amqp.Publishing{Body: []byte("2")}); err != nil {
		t.Fatal(err)
	}
	testkit.Await(t, stop)
	w.stop()
	testkit.Await(t, w.ended)
	publish(t, ch, 3, 4)
	w = run(t, amqpx.Config{URLs: []string{url}, Queues: []amqpx.Queue{second.of(keptFor(time.Minute))}})
	w.await(t, true)
	second.expect(t, numbers(3, 4)...)
}

func TestAStreamGivesANewLinkItsBacklogThenItsGapsThenWhatIsNew(t *testing.T) {
	t.Parallel()
	url := testkit.RabbitMQ(t).NewVHost(t)
	var first recorder
	w := run(t, amqpx.Config{URLs: []string{url}, Queues: []amqpx.Queue{first.of(history("first", 0))}})
	w.await(t, true)
	ch := client(t, url)
	publish(t, ch, 1, 2, 3)
	first.expect(t, live, event{number: 1}, event{number: 2}, event{number: 3})
	w.stop()
	testkit.Await(t, w.ended)
	publish(t, ch, 4) // while there is no reader
	var all, some recorder
	for name, h := range map[string]*recorder{"all": &all, "some": &some} {
		past := map[string]uint64{"all": 1000, "some": 0}[name]
		w := run(t, amqpx.Config{URLs: []string{url}, Queues: []amqpx.Queue{h.of(history(name, past))}})
		w.await(t, true)
	}
	publish(t, ch, 5)
	all.expect(t, append(numbers(1, 4), live, event{number: 5})...)
	some.expect(t, live, event{number: 5})
	if a, s := all.all()[5], some.all()[1]; a.offset != s.offset || a.offset == 0 {
		t.Errorf("5 has the offset %d here and %d there", a.offset, s.offset)
	}
}

func TestALinkIsMadeWhileTheBrokerIsShortOfMemory(t *testing.T) {
	t.Parallel()
	n := testkit.StartRabbitMQ(t)
	n.SetMemoryAlarm(t, true)
	var h recorder
	w := run(t, amqpx.Config{URLs: []string{n.URL()}, Queues: []amqpx.Queue{h.of(history("link", 10))}})
	w.await(t, true)
	n.SetMemoryAlarm(t, false)
	publish(t, client(t, n.URL()), 1)
	h.expect(t, live, event{number: 1})
}

func TestAStreamThatWasMadeAgainIsReadFromItsStart(t *testing.T) {
	t.Parallel()
	url := testkit.RabbitMQ(t).NewVHost(t)
	var h recorder
	w := run(t, amqpx.Config{URLs: []string{url}, Queues: []amqpx.Queue{h.of(history("link", 0))}})
	w.await(t, true)
	ch := client(t, url)
	for i := range 20 {
		publish(t, ch, i)
	}
	h.await(t, 19)
	if _, err := ch.QueueDelete("history", false, false, false); err != nil {
		t.Fatal(err)
	}
	w.await(t, false)
	w.await(t, true)
	publish(t, ch, 20)
	h.await(t, 20)
	want := append([]event{live}, numbers(0, 19)...)
	h.expect(t, append(want, aGap, event{number: 20})...)
}

func TestAQueueThatContradictsItselfIsRefused(t *testing.T) {
	for name, q := range map[string]amqpx.Queue{
		"long name":        {Name: strings.Repeat("x", 250), Expires: time.Second},
		"negative time":    {Name: "q", Expires: -1},
		"microseconds":     {Name: "q", Expires: time.Microsecond},
		"fifty days":       {Name: "q", Expires: 50 * 24 * time.Hour},
		"both":             {Name: "q", Expires: time.Second, Stream: &amqpx.Stream{Name: "s"}},
		"no name":          {Name: "q", Stream: &amqpx.Stream{}},
		"the same name":    {Name: "q", Stream: &amqpx.Stream{Name: "q"}},
		"negative size":    {Name: "q", Stream: &amqpx.Stream{Name: "s", MaxBytes: -1}},
		"half a second":    {Name: "q", Stream: &amqpx.Stream{Name: "s", MaxAge: time.Second / 2}},
		"long stream name": {Name: "q", Stream: &amqpx.Stream{Name: strings.Repeat("x", 250)}},
	} {
		q.Deliver = func(*amqpx.Delivery) {}
		_, err := amqpx.New(amqpx.Config{URLs: []string{"amqp://localhost/"}, Exchange: "x", Queues: []amqpx.Queue{q}})
		if err == nil || !strings.Contains(err.Error(), "queue") && !strings.Contains(err.Error(), "stream") {
			t.Errorf("%s: %v", name, err)
		}
	}
}
