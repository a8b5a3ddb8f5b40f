package webdemo_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	"github.com/clu-ws/clu-ws/internal/testkit"
	webdemo "github.com/clu-ws/clu-ws/web-demo"
)

// onOwnServer is a page that subscribes and commands where CLU's own server is. Beside,
// it asks for the subprotocol, as clu.js must not.
const onOwnServer = `<!doctype html><script type="module">
	import { Clu } from "./clu.js";
	const record = window.record = { replies: 0, others: 0, status: null, gaps: [], errors: [], subprotocol: null };
	const clu = window.clu = new Clu("ws://CUTTER/", { minDelay: 10, maxDelay: 60 });
	const subscription = window.subscription = clu.subscribe({ sender: "test" }, { onReply: () => { record.replies += 1; } });
	clu.on("reply", ({ sender }) => { record.others += sender === "test" ? 0 : 1; });
	clu.on("gap", ({ reason }) => record.gaps.push(reason));
	clu.on("error", ({ message }) => record.errors.push(message));
	await clu.connect();
	clu.send("test", "status").then(({ reply }) => { record.status = reply.code; }, ({ message }) => record.errors.push(message));
	const socket = new WebSocket("ws://CUTTER/", "clu-ws.v1");
	socket.onopen = () => { record.subprotocol = "open"; };
	socket.onerror = () => { record.subprotocol = "refused"; };
</script>`

func TestAPageWorksWithCLUsOwnServer(t *testing.T) {
	python := testkit.CLU(t)
	ctx := testkit.Browser(t)
	o := startObservatory(t) // for its broker
	port := testkit.FreePort(t)
	python.StartWebSocketServer(t, port, o.url)
	python.StartActor(t, o.url, "test")
	proxy := startCutter(t, "127.0.0.1:"+strconv.Itoa(port))
	elsewhere := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/" {
			webdemo.Handler().ServeHTTP(w, r)
			return
		}
		w.Header().Set("Content-Type", "text/html")
		io.WriteString(w, strings.ReplaceAll(onOwnServer, "CUTTER", proxy.addr))
	}))
	defer elsewhere.Close()

	do(t, ctx, chromedp.Navigate(elsewhere.URL))
	until(t, ctx, "a command is done", `window.record?.status === ":"`)
	until(t, ctx, "its replies are the subscription's", `record.replies > 0 && clu.protocol === "plain" && Object.keys(subscription.values.test).length > 0`)
	until(t, ctx, "the browser has no socket for a subprotocol that nobody names", `record.subprotocol === "refused"`)
	proxy.cut()
	until(t, ctx, "the lost connection is a gap", `record.gaps.length === 1 && clu.state === "open"`)
	if got := evaluate[string](t, ctx, `[record.others, record.gaps, record.errors].join(";")`); got != "0;this server keeps no replies to resume from;" {
		t.Errorf("others, gaps and errors: %s", got)
	}
}
