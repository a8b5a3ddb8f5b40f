package webdemo_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/chromedp/chromedp"

	"github.com/clu-ws/clu-ws/internal/testkit"
	webdemo "github.com/clu-ws/clu-ws/web-demo"
)

// The page runs what docs/clu-js.md shows.
func TestAPageLoadsTheModuleOnceTheBridgeIsThere(t *testing.T) {
	ctx := testkit.Browser(t)
	docs, err := os.ReadFile("../docs/clu-js.md")
	if err != nil {
		t.Fatal(err)
	}
	_, snippet, ok := strings.Cut(string(docs), "```js\nasync function load(url)")
	snippet, _, ends := strings.Cut(snippet, "```")
	const shown = "http://localhost:9876/clu.js"
	if !ok || !ends || !strings.Contains(snippet, shown) {
		t.Fatal("docs/clu-js.md does not show how a page loads the module")
	}

	var asked atomic.Int32
	modules := webdemo.Handler()
	bridge := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if asked.Add(1) <= 2 {
			panic(http.ErrAbortHandler) // as if nobody listened
		}
		modules.ServeHTTP(w, r)
	}))
	defer bridge.Close()
	script := strings.ReplaceAll("async function load(url)"+snippet, shown, bridge.URL+"/clu.js")
	page := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		fmt.Fprintf(w, `<!doctype html><title>of an author</title><script type="module">%s
			globalThis.clu = connect(%q);</script>`, script, bridge.URL)
	}))
	defer page.Close()
	do(t, ctx, chromedp.Navigate(page.URL))
	until(t, ctx, "the module is there", `globalThis.clu !== undefined && typeof clu.keyword("dome", "az").getSnapshot === "function"`)
	if got := asked.Load(); got < 3 {
		t.Errorf("the module was asked for %d times", got)
	}
}
