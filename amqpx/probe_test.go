package amqpx_test

import (
	"bytes"
	"fmt"
	"log/slog"
	"net"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/clu-ws/clu-ws/amqpx"
	"github.com/clu-ws/clu-ws/internal/testkit"
)

// probeSoon is a short interval that still leaves a busy machine time to answer.
const probeSoon = time.Second

// unconfirmed is in what a link reports about a queue whose broker is late.
const unconfirmed = "no confirm within"

// eachKind runs a test on a queue of each kind on a RabbitMQ.
func eachKind(t *testing.T, test func(t *testing.T, url string, q amqpx.Queue)) {
	t.Parallel()
	for name, q := range map[string]amqpx.Queue{
		"exclusive": {Name: "link_exclusive"},
		"expires":   keptFor(time.Minute),
		"stream":    history("link_stream", 0),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, testkit.RabbitMQ(t).NewVHost(t), q)
		})
	}
}

func vhostOf(url string) string { return url[strings.LastIndex(url, "/")+1:] }

// awaitQueue waits until the link reports whether its queue takes messages, and returns why not. On a busy machine
// the broker may deliver a probe so late that the link connects again.
func (w *watched) awaitQueue(t *testing.T, down bool) string {
	t.Helper()
	for {
		s := testkit.Receive(t, w.states)
		if !s.Up && strings.Contains(fmt.Sprint(s.Err), "was not delivered") {
			w.await(t, true)
			s = w.State()
		}
		if !s.Up {
			t.Fatalf("the link is down: %v", s.Err)
		}
		if (s.QueueDown != "") == down {
			return s.QueueDown
		}
	}
}

// leaders suspends, or resumes, the processes that accept the messages of all queues of a
// virtual host.
func leaders(t *testing.T, url, what string) {
	t.Helper()
	testkit.RabbitMQ(t).Eval(t, fmt.Sprintf(`
		[sys:%s(case amqqueue:get_pid(Q) of {Name, _} -> whereis(Name); Pid -> Pid end) ||
		 Q <- rabbit_amqqueue:list(<<"%s">>)].`, what, vhostOf(url)))
}

func TestAQueueWithoutALeaderIsReported(t *testing.T) {
	eachKind(t, func(t *testing.T, url string, q amqpx.Queue) {
		var h recorder
		w := run(t, amqpx.Config{URLs: []string{url}, ProbeAfter: probeSoon, Queues: []amqpx.Queue{h.of(q)}})
		w.await(t, true)
		ch := client(t, url)
		publish(t, ch, 1)
		h.await(t, 1)
		leaders(t, url, "suspend")
		t.Cleanup(func() { leaders(t, url, "resume") }) // of those that still exist
		if why := w.awaitQueue(t, true); !strings.Contains(why, "no confirm within 500ms") || !strings.Contains(why, q.Name) && !strings.Contains(why, "history") {
			t.Errorf("it is reported as %q", why)
		}
		leaders(t, url, "resume")
		w.awaitQueue(t, false)
		publish(t, ch, 2, 3)
		h.expect(t, numbersAndLive(q, 1, 3)...)
	})
}

// numbersAndLive returns what a link that reads a new queue receives.
func numbersAndLive(q amqpx.Queue, from, to int) []event {
	all := numbers(from, to)
	if q.Stream != nil {
		all = append([]event{live}, all...)
	}
	return all
}

// nacking is a connection that turns confirms into nacks while it is on.
type nacking struct {
	net.Conn
	on *atomic.Bool
}

// Both methods have the same arguments: a delivery tag and a byte of flags.
var (
	ackFrame  = []byte{0, 0, 0, 13, 0, 60, 0, 80}
	nackFrame = []byte{0, 0, 0, 13, 0, 60, 0, 120}
)

func (c nacking) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	if c.on.Load() {
		copy(p[:n], bytes.ReplaceAll(p[:n], ackFrame, nackFrame))
	}
	return n, err
}

func TestAQueueThatRejectsMessagesIsReported(t *testing.T) {
	onEachBroker(t, func(t *testing.T, n node) {
		var h recorder
		var refuses atomic.Bool
		w := run(t, amqpx.Config{
			URLs: []string{n.url()}, ProbeAfter: probeSoon, Queues: []amqpx.Queue{h.of(amqpx.Queue{Name: "link_replies"})},
			Dial: func(network, addr string) (net.Conn, error) {
				conn, err := net.Dial(network, addr)
				return nacking{conn, &refuses}, err
			},
		})
		w.await(t, true)
		refuses.Store(true)
		why := w.awaitQueue(t, true)
		for strings.Contains(why, unconfirmed) {
			why = w.awaitQueue(t, true) // a busy broker's nack comes late
		}
		if !strings.Contains(why, "nack") || !strings.Contains(why, "link_replies") {
			t.Errorf("it is reported as %q", why)
		}
		refuses.Store(false)
		w.awaitQueue(t, false)
		publish(t, client(t, n.url()), 1)
		h.expect(t, numbers(1, 1)...)
	})
}

func TestALinkWhoseConsumerIsNotServedConnectsAgain(t *testing.T) {
	_, proxied, p := behindProxy(t)
	var h recorder
	w := run(t, amqpx.Config{URLs: []string{proxied}, ProbeAfter: 500 * time.Millisecond, Queues: []amqpx.Queue{h.of(amqpx.Queue{Name: "link_replies"})}})
	w.await(t, true)
	p.stall(0) // the consuming connection
	s := testkit.Receive(t, w.states)
	for s.Up { // a busy broker confirms late, and the queue is reported
		s = testkit.Receive(t, w.states)
	}
	if !strings.Contains(s.Err.Error(), "was not delivered") || !strings.Contains(s.Err.Error(), "link_replies") {
		t.Errorf("the state is %+v", s)
	}
}

func TestALinkThatMayNotProbeLogsThatAndStaysUp(t *testing.T) {
	t.Parallel()
	n := testkit.StartRabbitMQ(t)
	n.AddUser(t, "reader", "secret")
	n.SetPermissions(t, "/", "reader", ".*", "^(test|link_.*)$", ".*")
	lines := make(logged, 1000)
	var h recorder
	w := run(t, amqpx.Config{
		URLs:       []string{strings.Replace(n.URL(), "guest:guest", "reader:secret", 1)},
		ProbeAfter: 200 * time.Millisecond,
		Logger:     slog.New(slog.NewTextHandler(lines, nil)),
		Queues:     []amqpx.Queue{h.of(amqpx.Queue{Name: "link_replies"})},
	})
	w.await(t, true)
	for line := testkit.Receive(t, lines); !strings.Contains(line, "amq.default"); line = testkit.Receive(t, lines) {
		if !strings.Contains(line, "level=INFO") && !strings.Contains(line, unconfirmed) { // a busy broker refuses late
			t.Errorf("logged %q", line)
		}
	}
	publish(t, client(t, n.URL()), 1)
	h.expect(t, numbers(1, 1)...)
	testkit.WaitUntil(t, "the link is up and knows nothing against its queue", func() bool {
		s := w.State()
		return s.Up && s.QueueDown == ""
	})
}

// wiretap is a connection that reports when it reads a text.
type wiretap struct {
	net.Conn
	text []byte
	read chan<- struct{}
}

func (w wiretap) Read(p []byte) (int, error) {
	n, err := w.Conn.Read(p)
	if bytes.Contains(p[:n], w.text) {
		select {
		case w.read <- struct{}{}:
		default:
		}
	}
	return n, err
}

func TestProbesArriveAndAreNotDelivered(t *testing.T) {
	onEachBroker(t, func(t *testing.T, n node) {
		probes := make(chan struct{}, 1)
		w := run(t, amqpx.Config{URLs: []string{n.url()}, ProbeAfter: probeSoon,
			Dial: func(network, addr string) (net.Conn, error) {
				conn, err := net.Dial(network, addr)
				return wiretap{conn, []byte("clu-ws.place"), probes}, err
			}})
		w.await(t, true)
		for i := range 3 {
			testkit.Await(t, probes)
			id := fmt.Sprint(i)
			testkit.Await(t, w.send(t, "reply.me", id))
			if got := testkit.Receive(t, w.deliveries); got != id {
				t.Fatalf("%q came in place of %q", got, id)
			}
		}
		if s := w.State(); !s.Up {
			t.Errorf("the state is %+v", s)
		}
	})
}
