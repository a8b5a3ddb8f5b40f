package webdemo_test

import (
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"testing"

	"github.com/chromedp/chromedp"

	"github.com/clu-ws/clu-ws/bridge"
	"github.com/clu-ws/clu-ws/internal/testkit"
)

// startPrefixProxy starts a proxy that has the bridge below a path, as a web server does that has other things, too.
func startPrefixProxy(t *testing.T, addr, prefix string) (page string) {
	t.Helper()
	proxy := &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) {
		r.SetURL(&url.URL{Scheme: "http", Host: addr})
	}}
	mux := http.NewServeMux()
	mux.Handle(prefix+"/", http.StripPrefix(prefix, proxy))
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	return server.URL + prefix + "/"
}

func TestThePageWorksBelowAPathOfAProxyWithCompression(t *testing.T) {
	t.Parallel()
	ctx := testkit.Browser(t)
	o := startConfigured(t, func(cfg *bridge.Config) {
		cfg.Compress = true
		cfg.Origins = []string{"*"}
	})
	proxied := startPrefixProxy(t, o.addr, "/observatory/clu")
	p := o.publisher(t)
	p.reading(3, "clear")
	do(t, ctx, chromedp.EmulateViewport(1400, 860), chromedp.Navigate(proxied), chromedp.WaitVisible(`#link-state[data-state="open"]`))
	until(t, ctx, "the actor is there", `document.querySelector('#actors [data-actor="weather"]') !== null`)
	do(t, ctx, chromedp.Evaluate[chromedp.Void](`location.hash = "#/plot?s=weather.wind_ms"; void 0`))
	until(t, ctx, "what is loaded later is there, too", legend("weather.wind_ms", "value")+` === "3"`)
	until(t, ctx, "with its styles", `getComputedStyle(document.querySelector(".plot-legend")).borderCollapse === "collapse"`)
	if outside := evaluate[[]string](t, ctx, `performance.getEntriesByType("resource").map(({ name }) => new URL(name).pathname).filter((path) => !path.startsWith("/observatory/clu/"))`); len(outside) > 0 {
		t.Errorf("the page loads %q from outside its path", outside)
	}
	testkit.NoConsoleErrors(t, ctx)
}
