package webdemo_test

import (
	"net"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"github.com/clu-ws/clu-ws/internal/testkit"
)

// attemptAs opens a socket at an address with the protocols, sends a command and returns the outcome.
const attemptAs = `new Promise((resolve) => {
	const socket = new WebSocket("ws://ADDRESS/", PROTOCOLS);
	socket.onopen = () => {
		socket.send(JSON.stringify({consumer: "dome", command_string: "open"}));
		socket.send(JSON.stringify({op: "ping"}));
	};
	socket.onmessage = ({data}) => { const {op, auth} = JSON.parse(data); if (op === "pong" || auth) resolve(auth ?? "opened"); };
	socket.onerror = () => resolve("refused");
})`

// A browser sends a site's cookies with the sockets of every page of that host, whatever its port. On
// a page of another origin the cookie says nothing: the client has to show a token in a message, as
// if it had none.
func TestACookieOpensTheBridgeToItsOwnPagesOnly(t *testing.T) {
	t.Parallel()
	tab := testkit.BrowserWith(t, chromedp.Flag("host-resolver-rules", "MAP evil.example 127.0.0.1"))
	users := newAccounts()
	users.Cookie = "session"
	token := users.token("ana", "observer", time.Time{})
	o := startGuarded(t, users.authority(t))
	commands := o.commands(t)
	site := servePage(t, `<!doctype html><link rel=icon href=data:,><title>a page</title>`)
	_, port, _ := net.SplitHostPort(strings.TrimPrefix(site, "http://"))

	open := func(page, protocols string) string {
		t.Helper()
		do(t, tab, chromedp.Navigate(page))
		script := strings.NewReplacer("ADDRESS", o.addr, "PROTOCOLS", protocols).Replace(attemptAs)
		outcome, err := chromedp.Run(tab, chromedp.Evaluate[string](script, chromedp.EvalAwaitPromise))
		if err != nil {
			t.Fatal(err)
		}
		return outcome
	}
	do(t, tab, chromedp.Navigate("http://"+o.addr+"/client/README.md"), chromedp.Evaluate[chromedp.Void](`document.cookie = "session=`+token+`; path=/"; void 0`))
	for _, c := range []struct{ name, page, protocols, want string }{
		{"the bridge's own page", "http://" + o.addr + "/client/clu.js", `["clu-ws.v1"]`, "opened"},
		{"a page on another port", "http://127.0.0.1:" + port + "/", `["clu-ws.v1"]`, "required"},
		{"a page of another site", "http://evil.example:" + port + "/", `["clu-ws.v1"]`, "required"},
		{"a page of another site with a token", "http://evil.example:" + port + "/", `["clu-ws.v1", "bearer.` + token + `"]`, "opened"},
	} {
		if got := open(c.page, c.protocols); got != c.want {
			t.Errorf("%s: %s, want %s", c.name, got, c.want)
		}
		if c.want == "opened" {
			testkit.Receive(t, commands)
		}
	}
	if n := len(commands); n > 0 {
		t.Errorf("%d more commands arrived", n)
	}
}
