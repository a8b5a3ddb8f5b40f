package webdemo_test

import (
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strconv"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	"github.com/clu-ws/clu-ws/internal/testkit"
	webdemo "github.com/clu-ws/clu-ws/web-demo"
)

// onCLUServer is a page that subscribes and sends a command through CLU's own server. A raw socket of the page requests the
// subprotocol, which clu.js must not do.
const onCLUServer = `<!doctype html><script type="module">
	import { Clu } from "./clu.js";
	const record = window.record = { replies: 0, others: 0, status: null, gaps: [], errors: [], subprotocol: null };
	const clu = window.clu = new Clu("ws://PROXY/", { minDelay: 10, maxDelay: 60 });
	const subscription = window.subscription = clu.subscribe({ sender: "test" }, { onReply: () => { record.replies += 1; } });
	clu.on("reply", ({ sender }) => { record.others += sender === "test" ? 0 : 1; });
	clu.on("gap", ({ reason }) => record.gaps.push(reason));
	clu.on("error", ({ message }) => record.errors.push(message));
	await clu.connect();
	clu.send("test", "status").then(({ reply }) => { record.status = reply.code; }, ({ message }) => record.errors.push(message));
	const socket = new WebSocket("ws://PROXY/", "clu-ws.v1");
	socket.onopen = () => { record.subprotocol = "open"; };
	socket.onerror = () => { record.subprotocol = "refused"; };
</script>`

// serveBefore serves the page, and passes WebSockets on to another server.
func serveBefore(t *testing.T, port int) (addr string) {
	t.Helper()
	target := &url.URL{Scheme: "http", Host: "127.0.0.1:" + strconv.Itoa(port)}
	proxy := httputil.NewSingleHostReverseProxy(target)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Upgrade") == "" {
			webdemo.Handler().ServeHTTP(w, r)
			return
		}
		proxy.ServeHTTP(w, r)
	}))
	t.Cleanup(server.Close)
	return strings.TrimPrefix(server.URL, "http://")
}

func TestTheClientWorksWithCLUsOwnServer(t *testing.T) {
	t.Parallel()
	python := testkit.CLU(t)
	ctx := testkit.Browser(t)
	o := startObservatory(t) // for its broker
	port := testkit.FreePort(t)
	python.StartWebSocketServer(t, port, o.url)
	python.StartActor(t, o.url, "test")
	proxy := startFaultProxy(t, "127.0.0.1:"+strconv.Itoa(port))
	site := servePage(t, strings.ReplaceAll(onCLUServer, "PROXY", proxy.addr))

	do(t, ctx, chromedp.Navigate(site))
	until(t, ctx, "a command is done", `window.record?.status === ":"`)
	until(t, ctx, "the subscription gets the replies", `record.replies > 0 && clu.protocol === "plain" && Object.keys(subscription.values.test).length > 0`)
	until(t, ctx, "the browser refuses a socket whose server does not name the subprotocol", `record.subprotocol === "refused"`)
	proxy.cut()
	until(t, ctx, "the lost connection is a gap", `record.gaps.length === 1 && clu.state === "open"`)
	if got := evaluate[string](t, ctx, `[record.others, record.gaps, record.errors].join(";")`); got != "0;this server keeps no replies to resume from;" {
		t.Errorf("others, gaps and errors: %s", got)
	}
}
