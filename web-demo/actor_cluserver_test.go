package webdemo_test

import (
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strconv"
	"strings"
	"testing"

	"net/http"

	"github.com/chromedp/chromedp"

	"github.com/clu-ws/clu-ws/internal/testkit"
	webdemo "github.com/clu-ws/clu-ws/web-demo"
)

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

func TestTheActorViewWorksWithCLUsOwnServerAndSaysWhatIsMissing(t *testing.T) {
	python := testkit.CLU(t)
	ctx := testkit.Browser(t)
	o := startObservatory(t) // for its broker
	port := testkit.FreePort(t)
	python.StartWebSocketServer(t, port, o.url)
	python.StartActor(t, o.url, "test")
	addr := serveBefore(t, port)
	for _, size := range sizes {
		openActor(t, ctx, addr, "test", size)
		until(t, ctx, size.name+": it says that the commands are not known, and why", `/^The commands of test are not known: .+ Write one by hand\.$/.test(document.querySelector(".model-state").textContent)`)
		do(t, ctx, chromedp.SendKeys(".form-line", "status\r"))
		until(t, ctx, size.name+": a command that is written by hand is sent", `document.querySelector('.actor-sent li[data-own="true"][data-state="done"]') !== null`)
		until(t, ctx, size.name+": and its keywords are shown", row("dome_status", ".value")+` === "0x10" && `+row("dome_status", ".bits")+` === "POSITION_UNKNOWN (bit 4)"`)
		do(t, ctx, chromedp.SendKeys("#command-input", "test slow 0.1\r"))
		until(t, ctx, size.name+": so is one of the command line", `document.querySelector('#commands > li[data-own="true"][data-state="done"] .line').textContent === "test slow 0.1"`)
		do(t, ctx, chromedp.SendKeys("#command-input", "test st"))
		until(t, ctx, size.name+": the commands of every actor are offered", `document.querySelector("#command-hints .text")?.textContent === "status"`)
		screenshot(t, ctx, "actor-cluserver-"+size.name)
	}
	testkit.NoConsoleErrors(t, ctx)
}
