package webdemo_test

import (
	"context"
	"net"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
	amqp "github.com/rabbitmq/amqp091-go"

	"github.com/clu-ws/clu-ws/actor"
	"github.com/clu-ws/clu-ws/internal/testkit"
)

// attempt opens a socket at an address and sends a command.
const attempt = `new Promise((resolve) => {
	const socket = new WebSocket("ws://ADDRESS/");
	socket.onopen = () => {
		socket.send(JSON.stringify({consumer: "dome", command_string: "open"}));
		socket.send("ping");
	};
	socket.onmessage = (event) => { if (event.data === "pong") resolve("opened"); };
	socket.onerror = () => resolve("refused");
})`

// commands receives every command on the exchange.
func (o *observatory) commands(t *testing.T) <-chan amqp.Delivery {
	t.Helper()
	ch := testkit.OpenChannel(t, o.url)
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

// try opens a page, and returns the outcome of its attempt.
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

func TestOnlyPagesOfThisMachineMayUseABridgeOnLoopback(t *testing.T) {
	t.Parallel()
	o := startObservatory(t)
	commands := o.commands(t)
	site := servePage(t, `<!doctype html><link rel=icon href=data:,><title>a page</title>`)
	_, pagePort, _ := net.SplitHostPort(strings.TrimPrefix(site, "http://"))
	_, bridgePort, _ := net.SplitHostPort(o.addr)
	tab := testkit.BrowserWith(t, chromedp.Flag("host-resolver-rules", "MAP evil.example 127.0.0.1"))

	if got := try(t, tab, "http://evil.example:"+pagePort+"/", o.addr); got != "refused" {
		t.Errorf("a page of another site: %s", got)
	}
	// DNS rebinding: the name of the page resolves to the bridge.
	if got := try(t, tab, "http://evil.example:"+pagePort+"/", "evil.example:"+bridgePort); got != "refused" {
		t.Errorf("a page whose name resolves to the bridge: %s", got)
	}
	for _, page := range []string{"http://localhost:" + pagePort + "/", "http://127.0.0.1:" + pagePort + "/"} {
		if got := try(t, tab, page, o.addr); got != "opened" {
			t.Errorf("%s: %s", page, got)
		}
		if d := testkit.Receive(t, commands); !strings.HasSuffix(d.RoutingKey, "dome") {
			t.Errorf("%s sent %s", page, d.RoutingKey)
		}
	}
	// Commands of the refused pages would have arrived before.
	if n := len(commands); n > 0 {
		t.Errorf("%d more commands arrived", n)
	}
}
