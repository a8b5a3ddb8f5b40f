package webdemo_test

import (
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"github.com/clu-ws/clu-ws/internal/testkit"
)

// startSlowProxy starts a proxy before a bridge that hands on requests for what completes command lines only after the
// answer is sent on the channel: whether there is one.
func startSlowProxy(t *testing.T, addr string) (page string, there chan<- bool) {
	t.Helper()
	proxy := httputil.NewSingleHostReverseProxy(&url.URL{Scheme: "http", Host: addr})
	answer := make(chan bool)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.Contains(r.URL.Path, "/assistant-") {
			select {
			case ok := <-answer:
				if !ok {
					w.WriteHeader(http.StatusNotFound)
					return
				}
			case <-t.Context().Done():
			}
		}
		proxy.ServeHTTP(w, r)
	}))
	t.Cleanup(server.Close)
	return strings.TrimPrefix(server.URL, "http://"), answer
}

func TestAKeyForTheCompletionsWaitsUntilTheyAreLoaded(t *testing.T) {
	t.Parallel()
	ctx := testkit.Browser(t)
	o := startObservatory(t)
	dome := startSimulated(t, o.url)
	dome.Broadcast("i", nil)
	addr, there := startSlowProxy(t, o.addr)
	begin := func() {
		openAt(t, ctx, addr, sizes[0])
		until(t, ctx, "dome is known", `document.querySelector('[data-actor="dome"]') !== null`)
	}
	begin()
	do(t, ctx, chromedp.SendKeys("#command-input", "do"))
	key(t, ctx, kb.ArrowDown)
	key(t, ctx, kb.Enter)
	until(t, ctx, "Enter says that it sends nothing", `document.querySelector("#command-why").textContent.includes("are being loaded")`)
	there <- true
	until(t, ctx, "the list is at dome", `document.getElementById(`+commandInput+`.getAttribute("aria-activedescendant"))?.querySelector(".text").textContent === "dome"`)
	key(t, ctx, kb.Enter)
	until(t, ctx, "Enter takes it", commandInput+`.value === "dome " && `+commandFocused)
	testkit.NoConsoleErrors(t, ctx)

	begin()
	do(t, ctx, chromedp.SendKeys("#command-input", "dome op"))
	key(t, ctx, kb.Tab)
	there <- false
	until(t, ctx, "it is told that there are no completions", `document.querySelector("#command-why").textContent.includes("could not be loaded") && `+commandFocused)
	key(t, ctx, "en\r")
	if ran := nextRun(t, ctx, dome.ran); ran != "open" {
		t.Errorf("the actor ran %s", ran)
	}
}
