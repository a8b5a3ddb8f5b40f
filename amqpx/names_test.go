package amqpx_test

import (
	"fmt"
	"log/slog"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"

	"github.com/clu-ws/clu-ws/amqpx"
	"github.com/clu-ws/clu-ws/internal/testkit"
)

// lines are what a link logs.
type lines struct {
	mu  sync.Mutex
	all []string
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.all = append(l.all, string(p))
	return len(p), nil
}

func (l *lines) logger() *slog.Logger {
	return slog.New(slog.NewTextHandler(l, &slog.HandlerOptions{Level: slog.LevelDebug}))
}

// with returns the lines that contain the text.
func (l *lines) with(text string) (found []string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, line := range l.all {
		if strings.Contains(line, text) {
			found = append(found, line)
		}
	}
	return found
}

// locked reports whether the broker refuses the queue because another connection has it.
func locked(t *testing.T, url, queue string) bool {
	t.Helper()
	conn, err := amqp.Dial(url)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	ch, err := conn.Channel()
	if err != nil {
		t.Fatal(err)
	}
	_, err = ch.QueueDeclare(queue, false, false, true, false, nil)
	e, _ := err.(*amqp.Error)
	return e != nil && e.Code == amqp.ResourceLocked
}

const claimLine = "our last connection still holds our name"

// The link breaks on its own side alone.
func TestALinkWhoseLastConnectionIsHalfOpenIsBackAtOnce(t *testing.T) {
	t.Parallel()
	for name, q := range map[string]amqpx.Queue{"exclusive": {Name: "link_held"}, "kept": {Name: "link_held", Expires: time.Minute}, "stream": history("link_held", 0)} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			direct, proxied, p := behindProxy(t)
			var h recorder
			var log lines
			w := run(t, amqpx.Config{URLs: []string{proxied}, Queues: []amqpx.Queue{h.of(q)}, Logger: log.logger(), Heartbeat: 5 * time.Second})
			w.await(t, true)
			ch := client(t, direct)
			publish(t, ch, 1)
			h.await(t, 1)
			for n := 2; n < 4; n++ { // the second time, two of its connections are half-open
				p.reset()
				broken := time.Now()
				w.await(t, false)
				w.await(t, true)
				t.Logf("linked again after %v", time.Since(broken))
				publish(t, ch, n)
				h.await(t, n)
			}
			held := log.with(claimLine)
			if len(held) != 2 || !regexp.MustCompile(`queue=link_held_[0-9a-f]{8} `).MatchString(held[0]) {
				t.Errorf("the log says %q", held)
			}
			if got := h.gaps(); len(got) != 2 && q.Stream == nil || len(got) > 0 && q.Stream != nil {
				t.Errorf("the gaps are %v", got)
			}

			// A second link of the name is refused once the link holds its own name again.
			testkit.Eventually(t, 2*testkit.Patience, "the name is taken again", func() error {
				if len(log.with("the link holds its own name again")) == 0 {
					return fmt.Errorf("it is not")
				}
				return nil
			})
			if !locked(t, direct, "link_held") {
				t.Error("the name is free")
			}
			publish(t, ch, 4)
			h.await(t, 4)
		})
	}
}

func TestALinkKeepsItsNameWhenItsLastConnectionWasClosedInOrder(t *testing.T) {
	onEachBroker(t, func(t *testing.T, n node) {
		var log lines
		w := run(t, amqpx.Config{URLs: []string{n.url()}, Logger: log.logger()})
		w.await(t, true)
		for range 3 {
			n.drop(t)
			w.await(t, false)
			w.await(t, true)
		}
		if held := log.with(claimLine); len(held) > 0 {
			t.Errorf("the log says %q", held)
		}
	})
}

func TestTheSentinelOfAnotherNameIsNotLeftBehind(t *testing.T) {
	t.Parallel()
	direct, proxied, p := behindProxy(t)
	w := run(t, amqpx.Config{URLs: []string{proxied}})
	w.await(t, true)
	sentinels := func() int { return len(sentinelsIn(testkit.RabbitMQ(t).Exchanges(t, vhostOf(direct)))) }
	for range 2 {
		p.reset()
		w.await(t, false)
		w.await(t, true)
		if n := sentinels(); n != 1 {
			t.Errorf("there are %d sentinels", n)
		}
	}
	w.stop()
	testkit.Await(t, w.ended)
	awaitNoSentinels(t, testkit.RabbitMQ(t), vhostOf(direct))
}

// sentinelsIn returns the sentinels among exchanges.
func sentinelsIn(exchanges []string) []string {
	return slices.DeleteFunc(exchanges, func(name string) bool { return !strings.HasSuffix(name, "_sentinel") })
}

// The broker has the queue, whose process is gone: that is what a crashed node leaves behind in a
// cluster with Khepri.
func TestANameWhoseQueueHasDiedIsNotWaitedFor(t *testing.T) {
	t.Parallel()
	for name, q := range map[string]amqpx.Queue{"exclusive": {Name: "link_dead"}, "kept": {Name: "link_dead", Expires: time.Minute}, "stream": history("link_dead", 0)} {
		t.Run(name, func(t *testing.T) {
			url := testkit.RabbitMQ(t).NewVHost(t)
			other := testkit.OpenChannel(t, url)
			if _, err := other.QueueDeclare("link_dead", false, false, true, false, nil); err != nil {
				t.Fatal(err)
			}
			var h recorder
			var log lines
			refused := run(t, amqpx.Config{URLs: []string{url}, Queues: []amqpx.Queue{h.of(q)}})
			if s := testkit.Receive(t, refused.states); s.Up || !strings.Contains(s.Err.Error(), `another program named "link" is running`) {
				t.Errorf("the state is %+v while the queue is alive", s)
			}
			refused.stop()
			testkit.Await(t, refused.ended)
			if name == "exclusive" { // as a link binds it with RabbitMQ 4
				bindByGate(t, other, "link_dead")
			}

			killQueue(t, url, "link_dead")
			w := run(t, amqpx.Config{URLs: []string{url}, Queues: []amqpx.Queue{h.of(q)}, Logger: log.logger()})
			w.await(t, true)
			if all := log.with("the queue that holds our name is on a node that is down"); len(all) != 1 {
				t.Errorf("the log says %q", all)
			}
			// The remains of the other queue would make the broker refuse it.
			publish(t, client(t, url), 1)
			h.await(t, 1)
		})
	}
}

// bindByGate binds a queue to the exchange "test" through another exchange.
func bindByGate(t *testing.T, ch *amqp.Channel, queue string) {
	t.Helper()
	gate := queue + "_gate"
	for _, err := range []error{
		ch.ExchangeDeclare("test", "topic", false, true, false, false, nil),
		ch.ExchangeDeclare(gate, "fanout", false, true, true, false, nil),
		ch.QueueBind(queue, "", gate, false, nil),
		ch.ExchangeBind(gate, "reply.#", "test", false, nil),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
}

// killQueue gives a queue a dead process until the test ends: the broker takes half a minute to delete
// such a queue.
func killQueue(t *testing.T, url, queue string) {
	t.Helper()
	vhost := url[strings.LastIndex(url, "/")+1:]
	set := func(process string) {
		testkit.RabbitMQ(t).Eval(t, fmt.Sprintf(setProcess, vhost, queue, process))
	}
	set(`persistent_term:put(Name, amqqueue:get_pid(Q)), spawn(fun() -> ok end)`)
	t.Cleanup(func() { set(`persistent_term:get(Name)`) })
}

const setProcess = `
	Name = rabbit_misc:r(<<"%s">>, queue, <<"%s">>),
	Set = fun(Q) -> amqqueue:set_pid(Q, begin %s end) end,
	case erlang:function_exported(rabbit_db_queue, update, 2) of
		true -> rabbit_db_queue:update(Name, Set);
		false -> rabbit_misc:execute_mnesia_transaction(fun() -> rabbit_amqqueue:update(Name, Set) end)
	end, ok.`
