package webdemo_test

import (
	"context"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	amqp "github.com/rabbitmq/amqp091-go"

	"github.com/clu-ws/clu-ws/actor"
	"github.com/clu-ws/clu-ws/internal/testkit"
)

// attempt is what a page tries: to open a socket at an address, and to send a command.
const attempt = `new Promise((resolve) => {
	const socket = new WebSocket("ws://ADDRESS/");
	socket.onopen = () => {
		socket.send(JSON.stringify({consumer: "dome", command_string: "open"}));
		socket.send("ping");
	};
	socket.onmessage = (event) => { if (event.data === "pong") resolve("opened"); };
	socket.onerror = () => resolve("refused");
})`

// commands hears every command on the exchange.
func (o *observatory) commands(t *testing.T) <-chan amqp.Delivery {
	t.Helper()
	ch := o.voice(t).ch
	q, err := ch.QueueDeclare("", false, true, true, false, nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := ch.QueueBind(q.Name, "command.#", actor.Exchange, false, nil); err != nil {
		t.Fatal(err)
	}
	all, err := ch.Consume(q.Name, "", true, true, false, false, nil)
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// try opens a page and has it try.
func try(t *testing.T, tab context.Context, page, address string) (outcome string) {
	t.Helper()
	script := strings.Replace(attempt, "ADDRESS", address, 1)
	if err := chromedp.Do(tab, chromedp.Navigate(page)); err != nil {
		t.Fatal(err)
	}
	outcome, err := chromedp.Run(tab, chromedp.Evaluate[string](script, chromedp.EvalAwaitPromise))
	if err != nil {
		t.Fatal(err)
	}
	return outcome
}

func TestOnlyPagesOfThisMachineUseABridgeThatListensOnIt(t *testing.T) {
	o := startObservatory(t)
	commands := o.commands(t)
	elsewhere := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		_, _ = w.Write([]byte("<!doctype html><link rel=icon href=data:,><title>a page</title>"))
	}))
	t.Cleanup(elsewhere.Close)
	_, pagePort, _ := net.SplitHostPort(elsewhere.Listener.Addr().String())
	_, bridgePort, _ := net.SplitHostPort(o.addr)
	tab := testkit.BrowserWith(t, chromedp.Flag("host-resolver-rules", "MAP evil.example 127.0.0.1"))

	if got := try(t, tab, "http://evil.example:"+pagePort+"/", o.addr); got != "refused" {
		t.Errorf("a page of another site: %s", got)
	}
	// DNS rebinding: the name of the page leads to the bridge.
	if got := try(t, tab, "http://evil.example:"+pagePort+"/", "evil.example:"+bridgePort); got != "refused" {
		t.Errorf("a page whose name leads here: %s", got)
	}
	for _, page := range []string{"http://localhost:" + pagePort + "/", "http://127.0.0.1:" + pagePort + "/"} {
		if got := try(t, tab, page, o.addr); got != "opened" {
			t.Errorf("%s: %s", page, got)
		}
		select {
		case d := <-commands:
			if !strings.HasSuffix(d.RoutingKey, "dome") {
				t.Errorf("%s sent %s", page, d.RoutingKey)
			}
		case <-time.After(patience):
			t.Fatalf("%s: no command came", page)
		}
	}
	// Those of the others would have come before.
	if n := len(commands); n > 0 {
		t.Errorf("%d more commands came", n)
	}
}
