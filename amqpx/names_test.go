package amqpx_test

import (
	"fmt"
	"log/slog"
	"regexp"
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

// with gives the lines that contain the text.
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

// locked reports whether the broker refuses the queue because it is another connection's.
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

const heldLine = "has not noticed yet that our last connection is gone"

// TestALinkWhoseLastConnectionIsHalfOpenIsBackAtOnce breaks the link on its own side alone.
func TestALinkWhoseLastConnectionIsHalfOpenIsBackAtOnce(t *testing.T) {
	t.Parallel()
	for name, q := range map[string]amqpx.Queue{"exclusive": {Name: "link_held"}, "stream": history("link_held", 0)} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			direct, proxied, p := behindProxy(t)
			var h heard
			var log lines
			w := run(t, amqpx.Config{URLs: []string{proxied}, Queues: []amqpx.Queue{h.of(q)}, Logger: log.logger(), Heartbeat: time.Second})
			w.await(t, true)
			ch := client(t, direct)
			publish(t, ch, 1)
			h.await(t, 1)
			for n := 2; n < 4; n++ { // the second time, two connections of ours are half-open
				p.reset()
				broken := time.Now()
				w.await(t, false)
				w.await(t, true)
				if took := time.Since(broken); took > 2*time.Second {
					t.Errorf("it took %v", took)
				} else {
					t.Logf("linked again after %v", took)
				}
				publish(t, ch, n)
				h.await(t, n)
			}
			held := log.with(heldLine)
			if len(held) != 2 || !regexp.MustCompile(`queue=link_held_[0-9a-f]{8} `).MatchString(held[0]) {
				t.Errorf("the log says %q", held)
			}
			gaps := 0
			if q.Stream == nil {
				gaps = 2
			}
			if got := h.gaps(); len(got) != gaps {
				t.Errorf("the gaps are %v", got)
			}

			// A second link of the name is refused meanwhile, and when the name is ours again.
			if !locked(t, direct, "link_held") {
				t.Error("the name is free while the broker has not noticed")
			}
			testkit.Eventually(t, patience, "the name is taken again", func() error {
				if len(log.with("the name is ours again")) == 0 {
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

func TestALinkTakesNoOtherNameThanItsOwnWhenItsLastConnectionEndedInOrder(t *testing.T) {
	onEachBroker(t, func(t *testing.T, n node) {
		var log lines
		w := run(t, amqpx.Config{URLs: []string{n.url()}, Logger: log.logger()})
		w.await(t, true)
		for range 3 {
			n.drop(t)
			w.await(t, false)
			w.await(t, true)
		}
		if held := log.with(heldLine); len(held) > 0 {
			t.Errorf("the log says %q", held)
		}
	})
}

func TestTheSentinelOfAnotherNameIsNotLeftBehind(t *testing.T) {
	t.Parallel()
	direct, proxied, p := behindProxy(t)
	w := run(t, amqpx.Config{URLs: []string{proxied}})
	w.await(t, true)
	ties := func() int { return strings.Count(list(t, direct, "list_exchanges", "name"), "_tie") }
	for range 2 {
		p.reset()
		w.await(t, false)
		w.await(t, true)
		if n := ties(); n != 1 {
			t.Errorf("there are %d ties", n)
		}
	}
	w.stop()
	receive(t, w.ended)
	if n := ties(); n != 0 {
		t.Errorf("there are %d ties at the end", n)
	}
}

// list runs a list command of rabbitmqctl in the virtual host of the URL.
func list(t *testing.T, url, command string, columns ...string) string {
	t.Helper()
	vhost := url[strings.LastIndex(url, "/")+1:]
	return testkit.RabbitMQ(t).Ctl(t, append([]string{command, "-q", "-p", vhost}, columns...)...)
}
