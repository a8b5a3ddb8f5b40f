package webdemo_test

import (
	"context"
	"log/slog"
	"net"
	"sync"
	"testing"

	"github.com/clu-ws/clu-ws/amqpx"
	"github.com/clu-ws/clu-ws/amqpx/broker"
	"github.com/clu-ws/clu-ws/bridge"
	"github.com/clu-ws/clu-ws/bridge/access"
	"github.com/clu-ws/clu-ws/bridge/hub"
	"github.com/clu-ws/clu-ws/internal/testkit"
	webdemo "github.com/clu-ws/clu-ws/web-demo"
)

// observatory is a broker and a bridge that serves the page, until the test ends.
type observatory struct {
	*broker.Broker
	url        string // of the broker
	addr       string // of the bridge
	stopBridge func()
	bridge     *bridge.Bridge
	configure  func(*bridge.Config)
}

func startObservatory(t testing.TB) *observatory { return startGuarded(t, nil) }

// startGuarded starts an observatory whose bridge asks the authority who its clients are.
func startGuarded(t testing.TB, a *access.Authority) *observatory {
	t.Helper()
	return startConfigured(t, func(cfg *bridge.Config) { cfg.Access = a })
}

// startConfigured starts an observatory whose bridges have a configuration of the test.
func startConfigured(t testing.TB, configure func(*bridge.Config)) *observatory {
	t.Helper()
	amqpListener := listen(t)
	o := &observatory{Broker: broker.New(broker.Config{}), configure: configure, url: "amqp://guest:guest@" + amqpListener.Addr().String() + "/"}
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

// startBridge starts a bridge, which runs until the test ends or stopBridge is called, and waits until it is linked.
func (o *observatory) startBridge(t testing.TB, listener net.Listener) {
	t.Helper()
	o.addr = listener.Addr().String()
	linked := make(chan struct{}, 1)
	cfg := bridge.Config{
		Broker: []string{o.url}, Page: webdemo.Handler(), Logger: slog.New(slog.DiscardHandler),
		History: hub.History{Replies: 10_000}, KeywordHistory: 16 << 20,
		OnLink: func(amqpx.State) {
			select {
			case linked <- struct{}{}:
			default:
			}
		},
	}
	cfg.Limits.PongTimeout = testkit.PongTimeout
	o.configure(&cfg)
	b, err := bridge.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	o.bridge = b
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
	testkit.Receive(t, linked)
}

func listen(t testing.TB) net.Listener {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	return ln
}
