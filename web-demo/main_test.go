package webdemo_test

import (
	"context"
	"encoding/json"
	"log/slog"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	amqp "github.com/rabbitmq/amqp091-go"

	"github.com/clu-ws/clu-ws/actor"
	"github.com/clu-ws/clu-ws/amqpx"
	"github.com/clu-ws/clu-ws/amqpx/broker"
	"github.com/clu-ws/clu-ws/bridge"
	"github.com/clu-ws/clu-ws/bridge/hub"
	"github.com/clu-ws/clu-ws/internal/testkit"
	webdemo "github.com/clu-ws/clu-ws/web-demo"
)

func TestMain(m *testing.M) { testkit.Main(m) }

// patience is how long a test waits for what must happen.
const patience = 20 * time.Second

// observatory is a broker and a bridge that serves the page, until the test ends.
type observatory struct {
	*broker.Broker
	url        string // of the broker
	addr       string // of the bridge
	stopBridge func()
}

func startObservatory(t *testing.T) *observatory {
	t.Helper()
	amqpListener := listen(t)
	o := &observatory{Broker: broker.New(broker.Config{}), url: "amqp://guest:guest@" + amqpListener.Addr().String() + "/"}
	served := make(chan struct{})
	go func() {
		defer close(served)
		_ = o.Serve(amqpListener)
	}()
	t.Cleanup(func() {
		o.Close()
		<-served
	})
	o.startBridge(t, listen(t))
	return o
}

// startBridge starts a bridge, until the test ends or it is stopped.
func (o *observatory) startBridge(t *testing.T, listener net.Listener) {
	t.Helper()
	o.addr = listener.Addr().String()
	up := make(chan struct{}, 1)
	b, err := bridge.New(bridge.Config{
		Broker: []string{o.url}, Page: webdemo.Handler(), Logger: slog.New(slog.DiscardHandler),
		History: hub.History{Replies: 10_000},
		OnLink: func(amqpx.State) {
			select {
			case up <- struct{}{}:
			default:
			}
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := b.Listen(listener); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- b.Run(ctx) }()
	o.stopBridge = sync.OnceFunc(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	t.Cleanup(o.stopBridge)
	select {
	case <-up:
	case <-time.After(patience):
		t.Fatal("the bridge is not linked")
	}
}

func listen(t *testing.T) net.Listener {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	return ln
}

// voice publishes numbered replies: {"n": 1}, {"n": 2} and so on.
type voice struct {
	t  *testing.T
	ch *amqp.Channel
	n  int // the last number
}

func (o *observatory) voice(t *testing.T) *voice {
	t.Helper()
	conn, err := amqp.Dial(o.url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	ch, err := conn.Channel()
	if err != nil {
		t.Fatal(err)
	}
	return &voice{t: t, ch: ch}
}

// senderOf and evenOf tell who says a number, and whether it says a keyword more.
func senderOf(n int) string { return []string{"weather", "dome", "roof"}[n%3] }
func evenOf(n int) bool     { return n%2 == 0 }

// say publishes the next number.
func (v *voice) say() {
	v.n++
	body := map[string]any{"n": v.n}
	if evenOf(v.n) {
		body["even"] = true
	}
	v.publish(senderOf(v.n), "i", v.n%5 == 0, body)
}

// words publishes a reply that says something.
func (v *voice) words(sender, code, text string) {
	v.publish(sender, code, false, map[string]any{"text": text})
}

func (v *voice) publish(sender, code string, internal bool, body map[string]any) {
	text, err := json.Marshal(body)
	if err != nil {
		v.t.Error(err)
	}
	err = v.ch.Publish(actor.Exchange, "reply.broadcast", false, false, amqp.Publishing{
		Headers:   amqp.Table{"message_code": code, "sender": sender, "command_id": nil, "commander_id": nil, "internal": internal},
		Timestamp: time.Now(), Body: text,
	})
	if err != nil {
		v.t.Error(err)
	}
}

// flow says a hundred numbers a second until it is stopped, or the test ends.
func (v *voice) flow() (stop func()) {
	stopping, stopped := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(stopped)
		tick := time.NewTicker(10 * time.Millisecond)
		defer tick.Stop()
		for {
			select {
			case <-tick.C:
				v.say()
			case <-stopping:
				return
			}
		}
	}()
	stop = sync.OnceFunc(func() {
		close(stopping)
		<-stopped
	})
	v.t.Cleanup(stop)
	return stop
}

// until waits for an expression to become true in the page.
func until(t *testing.T, ctx context.Context, what, expression string) {
	t.Helper()
	if _, err := chromedp.Run(ctx, chromedp.Poll[bool](expression, chromedp.WithPollingTimeout(patience))); err != nil {
		state, _ := chromedp.Run(ctx, chromedp.Evaluate[string](`JSON.stringify(window.record ?? document.body.innerText).slice(0, 2000)`))
		t.Fatalf("%s: %v; the page has %s", what, err, state)
	}
}

func do(t *testing.T, ctx context.Context, actions ...chromedp.Action[chromedp.Void]) {
	t.Helper()
	if err := chromedp.Do(ctx, actions...); err != nil {
		t.Fatal(err)
	}
}

func evaluate[T any](t *testing.T, ctx context.Context, expression string) T {
	t.Helper()
	v, err := chromedp.Run(ctx, chromedp.Evaluate[T](expression))
	if err != nil {
		t.Fatalf("%s: %v", expression, err)
	}
	return v
}
