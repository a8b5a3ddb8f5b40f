package amqpx_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"

	"github.com/clu-ws/clu-ws/amqpx"
	"github.com/clu-ws/clu-ws/internal/testkit"
)

// bindOlder declares the queue in which an earlier version kept its messages.
func bindOlder(t *testing.T, ch *amqp.Channel) {
	t.Helper()
	if err := ch.ExchangeDeclare("test", "topic", false, true, false, false, nil); err != nil {
		t.Fatal(err)
	}
	if _, err := ch.QueueDeclare("link", true, false, false, false, amqp.Table{"x-expires": int64(60_000)}); err != nil {
		t.Fatal(err)
	}
	if err := ch.QueueBind("link", "reply.#", "test", false, nil); err != nil {
		t.Fatal(err)
	}
}

func TestTheQueueOfAnEarlierVersionIsReadFirstAndReplaced(t *testing.T) {
	t.Parallel()
	url := testkit.RabbitMQ(t).NewVHost(t)
	ch := client(t, url)
	bindOlder(t, ch)
	publish(t, ch, 0, 1, 2)
	var h recorder
	w := run(t, amqpx.Config{URLs: []string{url}, Queues: []amqpx.Queue{h.of(keptFor(time.Minute))}})
	// The exchange, which had no other binding, was deleted in between.
	if s := testkit.Receive(t, w.states); !s.Up {
		t.Errorf("the first state is %+v", s)
	}
	publish(t, ch, 3)
	h.expect(t, append(numbers(0, 2), aGap, event{number: 3})...)
	awaitAcknowledged(t, testkit.RabbitMQ(t), vhostOf(url))
	w.stop()
	testkit.Await(t, w.ended)
	publish(t, ch, 4)
	var later recorder
	w = run(t, amqpx.Config{URLs: []string{url}, Queues: []amqpx.Queue{later.of(keptFor(time.Minute))}})
	w.await(t, true)
	later.expect(t, event{number: 4})
}

func TestTheQueueOfAnEarlierVersionThatIsRunningIsInUse(t *testing.T) {
	t.Parallel()
	url := testkit.RabbitMQ(t).NewVHost(t)
	ch := client(t, url)
	bindOlder(t, ch)
	got, err := ch.Consume("link", "", true, true, false, false, nil)
	if err != nil {
		t.Fatal(err)
	}
	var h recorder
	w := run(t, amqpx.Config{URLs: []string{url}, Queues: []amqpx.Queue{h.of(keptFor(time.Minute))}})
	if s := testkit.Receive(t, w.states); s.Up || !strings.Contains(s.Err.Error(), `another program named "link" is running`) {
		t.Errorf("the state is %+v", s)
	}
	publish(t, ch, 1)
	d := testkit.Receive(t, got)
	if d.Type == "clu-ws.place" { // a marker with which the link probed the queue
		d = testkit.Receive(t, got)
	}
	if string(d.Body) != "1" {
		t.Errorf("it got %q", d.Body)
	}
}

// An earlier connection that the broker still believes alive holds what it was sent.
func TestAnEarlierConsumerOfAKeptQueueGetsNothingMoreAndWhatItHadIsInAGap(t *testing.T) {
	t.Parallel()
	direct, proxied, p := behindProxy(t)
	var h recorder
	w := run(t, amqpx.Config{URLs: []string{proxied}, Queues: []amqpx.Queue{h.of(keptFor(time.Minute))}})
	w.await(t, true)
	ch := client(t, direct)
	publish(t, ch, 0)
	h.await(t, 0)
	p.refuse(true)
	w.await(t, false)
	earlier := testkit.OpenChannel(t, direct)
	held, err := earlier.Consume("link_kept", "", false, false, false, false, nil)
	if err != nil {
		t.Fatal(err)
	}
	publish(t, ch, 1, 2)
	for d := testkit.Receive(t, held); string(d.Body) != "2"; d = testkit.Receive(t, held) {
		t.Logf("it has %s", d.Body) // 0, too, if its acknowledgement was lost
	}
	p.refuse(false)
	w.await(t, true)
	publish(t, ch, 3, 4)
	h.await(t, 4)
	if err := earlier.Close(); err != nil {
		t.Fatal(err)
	}
	h.expect(t, event{number: 0}, aGap, event{number: 3}, event{number: 4}, aGap)
	publish(t, ch, 5)
	h.expect(t, event{number: 0}, aGap, event{number: 3}, event{number: 4}, aGap, event{number: 5})
}

// The broker still sends to the dead connection, up to the prefetch, while the link lags behind.
func TestAKeptQueueWhoseLastConnectionIsHalfOpenUnderTrafficIsReadInOrder(t *testing.T) {
	t.Parallel()
	direct, proxied, p := behindProxy(t)
	var h recorder
	w := run(t, amqpx.Config{URLs: []string{proxied}, Heartbeat: time.Second, Queues: []amqpx.Queue{h.of(keptFor(time.Minute))}})
	w.await(t, true)
	ch := client(t, direct)
	s := startSender(t, direct)
	for range 2 {
		h.await(t, s.more(t, aWhile))
		p.reset()
		w.await(t, false)
		w.await(t, true)
		h.await(t, s.more(t, aWhile))
	}
	testkit.Eventually(t, testkit.Patience, "the broker has noticed", func() error {
		q, err := ch.QueueDeclarePassive("link_kept", true, false, false, false, nil)
		if err == nil && q.Consumers != 1 {
			err = fmt.Errorf("there are %d consumers", q.Consumers)
		}
		return err
	})
	h.await(t, s.more(t, aWhile))
	s.end()
	lost := h.missing(t, s)
	t.Logf("%d of %d are missing, the gaps are %v", len(lost), s.count(), h.gaps())
	s.within(t, lost, h.gaps())
}

func TestWhatComesAgainFromAKeptQueueIsAsItsSenderSentIt(t *testing.T) {
	t.Parallel()
	url := testkit.RabbitMQ(t).NewVHost(t)
	var headers []amqpx.Table
	var h recorder
	q := h.of(keptFor(time.Minute))
	q.Deliver = func(d *amqpx.Delivery) {
		headers = append(headers, d.Headers)
		h.add(event{number: len(headers)})
	}
	w := run(t, amqpx.Config{URLs: []string{url}, Queues: []amqpx.Queue{q}})
	w.await(t, true)
	w.stop()
	testkit.Await(t, w.ended)
	ch := client(t, url)
	publish(t, ch, 0)
	for range 2 {
		earlier := testkit.OpenChannel(t, url)
		held, err := earlier.Consume("link_kept", "", false, false, false, false, nil)
		if err != nil {
			t.Fatal(err)
		}
		d := testkit.Receive(t, held)
		for d.Type == "clu-ws.place" { // which the link sent at its end
			d = testkit.Receive(t, held)
		}
		if string(d.Body) != "0" {
			t.Fatalf("%q came", d.Body)
		}
		if err := earlier.Close(); err != nil {
			t.Fatal(err)
		}
	}
	w = run(t, amqpx.Config{URLs: []string{url}, Queues: []amqpx.Queue{q}})
	w.await(t, true)
	publish(t, ch, 1)
	h.expect(t, event{number: 1}, event{number: 2})
	w.stop()
	testkit.Await(t, w.ended)
	for i, got := range headers {
		if len(got) > 0 {
			t.Errorf("%d has the headers %v", i, got)
		}
	}
}

// Messages sent while the link is down are transient, and still kept.
func TestAKeptQueueAndAStreamOutliveTheBrokersRestartAndShowWhetherTheirBindingsDid(t *testing.T) {
	t.Parallel()
	for name, down := range map[string]func(*testkit.Node){
		"restarted": func(n *testkit.Node) { n.Stop(t) },
		"killed":    func(n *testkit.Node) { n.Kill(t) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			n := testkit.StartRabbitMQ(t)
			khepri := n.Khepri(t)
			declareGenerations(t, client(t, n.URL()), "history_generation_0")
			first := runThree(t, n.URL(), 0)
			publish(t, client(t, n.URL()), 0)
			first.awaitAll(t, 0)
			awaitAcknowledged(t, n, "/")
			first.stop()
			testkit.Await(t, first.ended)
			// While RabbitMQ 4 deletes an exclusive queue, it refuses messages to it.
			testkit.Eventually(t, testkit.Patience, "the exclusive queue is gone", func() error {
				if queues := n.Queues(t, "/"); slices.Contains(queues, "link_exclusive") {
					return fmt.Errorf("there are %v", queues)
				}
				return nil
			})
			ch := client(t, n.URL())
			publishMany(t, ch, 1, 1000)
			// A quorum queue that is seconds old when its node is killed never gets a leader again (RabbitMQ
			// 3.10): its existence is not on disk yet.
			n.Eval(t, "[dets:sync(T) || T <- dets:all()].")
			down(n)
			n.Start(t)
			ch = client(t, n.URL())
			if err := ch.ExchangeDeclare("test", "topic", false, true, false, false, nil); err != nil {
				t.Fatal(err) // a publisher is faster than the link
			}
			// A queue that has no leader yet refuses messages.
			awaitLeader(t, n.URL(), "link_kept")
			awaitLeader(t, n.URL(), "history")
			publish(t, ch, 1001)
			var kept, stream recorder
			second := run(t, amqpx.Config{URLs: []string{n.URL()}, Queues: []amqpx.Queue{kept.of(keptFor(keptLong)),
				stream.of(amqpx.Queue{Name: "link_stream", Stream: &amqpx.Stream{Name: "history", MaxBytes: 1 << 24, Backlog: 5000}})}})
			second.await(t, true)
			publish(t, ch, 1002)
			want := append(numbers(1, 1000), aGap, event{number: 1002})
			if khepri {
				want = numbers(1, 1002)
			}
			kept.expect(t, want...)
			stream.await(t, 1002)
			if gaps := stream.gaps(); (len(gaps) == 1) == khepri || len(gaps) > 0 && gaps[0].Replayed {
				t.Errorf("the gaps of the stream are %+v", gaps)
			}
			if got := generationOf(t, &stream, 1002); got != 1 {
				t.Errorf("the stream is the same, of generation 1, and read as of %d", got)
			}
		})
	}
}

// awaitLeader waits until a queue takes messages. It publishes markers, which no link delivers.
func awaitLeader(t *testing.T, url, queue string) {
	t.Helper()
	testkit.Eventually(t, testkit.Patience, queue+" takes messages", func() error {
		conn, err := amqp.Dial(url)
		if err != nil {
			return err
		}
		defer conn.Close()
		ch, err := conn.Channel() // the last one may have been closed over the last message
		if err == nil {
			err = ch.Confirm(false)
		}
		if err != nil {
			return err
		}
		c, err := ch.PublishWithDeferredConfirm("", queue, false, false, amqp.Publishing{Type: "clu-ws.place"})
		if err == nil && !c.Wait() {
			err = errors.New("it refuses them")
		}
		return err
	})
}

// errorsIn returns the lines of a node's log that report errors, except those of a supervisor whose
// processes were gone when it was to stop them (shutdown, noproc): RabbitMQ 3.10 sometimes writes that
// when a connection ends.
func errorsIn(log string) (lines []string) {
	stopping := map[string]bool{}
	for line := range strings.Lines(log) {
		if strings.Contains(line, " errorContext: shutdown_error") {
			stopping[processOf(line)] = true
		}
	}
	for line := range strings.Lines(log) {
		if strings.Contains(line, "[error]") && !stopping[processOf(line)] {
			lines = append(lines, line)
		}
	}
	return lines
}

// processOf returns the start of a line of a node's log, the time and the process, which all lines of a
// report share.
func processOf(line string) string {
	before, _, _ := strings.Cut(line, "> ")
	return before
}

// noticed waits until the broker has noticed that the link is gone: the exclusive queue is deleted last.
func noticed(t *testing.T, n *testkit.Node, vhost string) {
	t.Helper()
	testkit.Eventually(t, testkit.Patience, "the broker has noticed", func() error {
		if names := n.Queues(t, vhost); slices.Contains(names, "link") {
			return fmt.Errorf("there are %v", names)
		}
		return nil
	})
}

func TestAnOrdinaryLifeOfALinkLeavesNoErrorInTheBrokersLog(t *testing.T) {
	t.Parallel()
	n := testkit.StartRabbitMQ(t)
	for name, q := range map[string]amqpx.Queue{
		"exclusive": {Name: "link"},
		"kept":      keptFor(time.Minute),
		"stream":    history("link", 0),
	} {
		// A link whose marker is answered late asks in a way that leaves an error: a busy broker may be that slow once.
		lines := errorsOfAnOrdinaryLife(t, n, q)
		for tries := 1; len(lines) > 0 && tries < 3; tries++ {
			t.Logf("%s: %s", name, lines)
			lines = errorsOfAnOrdinaryLife(t, n, q)
		}
		if len(lines) > 0 {
			t.Errorf("%s: %s", name, lines)
		}
	}
}

// errorsOfAnOrdinaryLife runs a link twice in a new virtual host, and returns the errors in the broker's log since.
func errorsOfAnOrdinaryLife(t *testing.T, n *testkit.Node, q amqpx.Queue) []string {
	t.Helper()
	vhost := vhostOf(n.NewVHost(t))
	p := newProxy(t, fmt.Sprintf("127.0.0.1:%d", n.Port()))
	var h recorder
	before := len(errorsIn(n.Log()))
	cfg := amqpx.Config{URLs: []string{p.url() + vhost}, Queues: []amqpx.Queue{h.of(q)}}
	for range 2 { // a first start, and that of the next process
		w := run(t, cfg)
		w.await(t, true)
		p.refuse(true)
		w.await(t, false)
		noticed(t, n, vhost)
		p.refuse(false)
		w.await(t, true)
		w.stop()
		testkit.Await(t, w.ended)
		noticed(t, n, vhost) // a busy RabbitMQ 4 deletes it after the connection has ended
	}
	return errorsIn(n.Log())[before:]
}

func TestALinkThatMayNotWriteToTheDefaultExchangeIsMadeAllTheSame(t *testing.T) {
	t.Parallel()
	n := testkit.RabbitMQ(t)
	for name, q := range map[string]amqpx.Queue{"kept": keptFor(time.Minute), "stream": history("link", 0)} {
		url := n.NewVHost(t)
		vhost := url[strings.LastIndex(url, "/")+1:]
		user := "unmarked-" + name
		n.AddUser(t, user, "secret")
		n.SetPermissions(t, vhost, user, ".*", "^(test|link|history).*$", ".*")
		for i := range 2 {
			var h recorder
			w := run(t, amqpx.Config{URLs: []string{strings.Replace(url, "guest:guest", user+":secret", 1)}, Queues: []amqpx.Queue{h.of(q)}})
			w.await(t, true)
			publish(t, client(t, url), i)
			h.await(t, i)
			if gaps := h.gaps(); len(gaps) > 0 {
				t.Errorf("%s: the gaps are %v", name, gaps)
			}
			w.stop()
			testkit.Await(t, w.ended)
		}
	}
}

func TestAKeptQueueIsRefusedForTheSettingThatDiffers(t *testing.T) {
	t.Parallel()
	url := testkit.RabbitMQ(t).NewVHost(t)
	var h recorder
	w := run(t, amqpx.Config{URLs: []string{url}, Queues: []amqpx.Queue{h.of(keptFor(time.Minute))}})
	w.await(t, true)
	w.stop()
	testkit.Await(t, w.ended)
	noticed(t, testkit.RabbitMQ(t), vhostOf(url))
	w = run(t, amqpx.Config{URLs: []string{url}, Queues: []amqpx.Queue{h.of(keptFor(2 * time.Minute))}})
	if s := testkit.Receive(t, w.states); s.Up || !strings.Contains(s.Err.Error(), "'x-expires'") {
		t.Errorf("the state is %+v", s)
	}
}
