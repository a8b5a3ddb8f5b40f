package amqpx

import (
	"bytes"
	"context"
	"log/slog"
	"net"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"

	"github.com/clu-ws/clu-ws/amqpx/broker"
)

// slow is a log handler that lets other goroutines run first.
type slow struct{ slog.Handler }

func (slow) Enabled(context.Context, slog.Level) bool { return true }

func (slow) Handle(_ context.Context, r slog.Record) error {
	for range 1000 {
		if strings.HasPrefix(r.Message, "linked") {
			runtime.Gosched()
		}
	}
	return nil
}

func TestABrokerThatBlocksAtOnceIsReported(t *testing.T) {
	states := make(chan State, 10)
	l, err := New(Config{URLs: []string{"amqp://localhost/"}, Exchange: "test", Logger: slog.New(slow{slog.DiscardHandler}), OnState: func(s State) { states <- s }})
	if err != nil {
		t.Fatal(err)
	}
	s := &session{link: l, url: l.cfg.URLs[0], broken: make(chan struct{}), publisher: &publisher{outbox: l.outbox},
		blocking: make(chan amqp.Blocking, 1), confirms: &confirms{}}
	s.blocking <- amqp.Blocking{Active: true, Reason: "low on memory"}
	close(s.blocking)
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() { defer close(ended); _ = s.serve(ctx) }()
	for range 2 {
		<-states
	}
	if got := l.State(); !got.Up || got.Blocked != "low on memory" {
		t.Errorf("the state is %+v", got)
	}
	cancel()
	<-ended
}

// inattentive ignores the first request for a method of AMQP 0-9-1.
type inattentive struct {
	net.Conn
	method string // class and method, two octets each
	lost   *atomic.Bool
}

func (i inattentive) Write(p []byte) (int, error) {
	if len(p) > frameHead && p[0] == methodFrame && bytes.HasPrefix(p[frameHead:], []byte(i.method)) && !i.lost.Swap(true) {
		return len(p), nil
	}
	return i.Conn.Write(p)
}

func TestARequestThatIsNeverAnsweredEndsTheAttempt(t *testing.T) {
	for name, method := range map[string]string{
		"opening a channel": "\x00\x14\x00\x0a", "declaring the exchange": "\x00\x28\x00\x0a", "asking for confirms": "\x00\x55\x00\x0a",
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T, n *network, b *broker.Broker) {
				var lost atomic.Bool
				n.set("192.0.2.1:5672", func(context.Context) (net.Conn, error) {
					conn, err := b.Dial("", "")
					return inattentive{conn, method, &lost}, err
				})
				l := linkTo(t, n, []string{"192.0.2.1"}, "amqp://guest:guest@broker/")
				if took := l.up(); took < requestTimeout || took > requestTimeout+10*time.Second {
					t.Errorf("it took %v", took)
				}
				l.stop()
				if text := l.log.String(); !strings.Contains(text, "left a request unanswered for 25s") {
					t.Errorf("the log is %s", text)
				}
			})
		})
	}
}
