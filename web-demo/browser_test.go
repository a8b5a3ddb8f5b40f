package webdemo_test

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"

	"github.com/chromedp/chromedp"

	"github.com/clu-ws/clu-ws/internal/testkit"
	webdemo "github.com/clu-ws/clu-ws/web-demo"
)

// until waits for an expression to become true in the page. One that throws is not true yet.
func until(t testing.TB, ctx context.Context, what, expression string) {
	t.Helper()
	expression = fmt.Sprintf(`(() => { try { return %s; } catch (error) { window.threw = String(error); return false; } })()`, expression)
	if _, err := chromedp.Run(ctx, chromedp.Poll[bool](expression, chromedp.WithPollingTimeout(testkit.Patience))); err != nil {
		state, _ := chromedp.Run(ctx, chromedp.Evaluate[string](`(window.threw ? window.threw + "; " : "") + JSON.stringify(window.record ?? document.body.innerText).slice(0, 2000)`))
		t.Fatalf("%s: %v; the page has %s", what, err, state)
	}
}

func do(t testing.TB, ctx context.Context, actions ...chromedp.Action[chromedp.Void]) {
	t.Helper()
	if err := chromedp.Do(ctx, actions...); err != nil {
		t.Fatal(err)
	}
}

func evaluate[T any](t testing.TB, ctx context.Context, expression string) T {
	t.Helper()
	v, err := chromedp.Run(ctx, chromedp.Evaluate[T](expression))
	if err != nil {
		t.Fatalf("%s: %v", expression, err)
	}
	return v
}

// openPage opens the console of the bridge at the address, and waits until it is connected.
func openPage(t testing.TB, ctx context.Context, addr string) {
	t.Helper()
	do(t, ctx, chromedp.EmulateViewport(1440, 900), chromedp.Navigate("http://"+addr+"/"), chromedp.WaitVisible(`#link-state[data-state="open"]`))
}

// viewport is a size of the page.
type viewport struct {
	name          string
	width, height int64
}

// sizes are those of a console and of a phone.
var sizes = []viewport{{"console", 1400, 860}, {"phone", 420, 860}}

// visit loads a view of the console of the bridge at the address, anew and at a size, and waits until it is connected.
func visit(t testing.TB, ctx context.Context, addr, hash string, size viewport) {
	t.Helper()
	do(t, ctx, chromedp.EmulateViewport(size.width, size.height), chromedp.Navigate("about:blank"), chromedp.Navigate("http://"+addr+"/"+hash),
		chromedp.WaitReady(`#link-state[data-state="open"]`))
}

// goTo shows a view of the console, and waits until it is there.
func goTo(t *testing.T, ctx context.Context, hash, there string) {
	t.Helper()
	do(t, ctx, chromedp.Evaluate[chromedp.Void](fmt.Sprintf(`location.hash = %q; void 0`, hash)))
	until(t, ctx, hash, there)
}

// key presses a key, or types a text, where the focus is.
func key(t *testing.T, ctx context.Context, keys string, options ...chromedp.KeyOption) {
	t.Helper()
	do(t, ctx, chromedp.KeyEvent(keys, options...))
}

// arm arms the page, so that it sends commands.
func arm(t *testing.T, ctx context.Context) {
	t.Helper()
	do(t, ctx, chromedp.Evaluate[chromedp.Void](`if (document.querySelector("#arm").getAttribute("aria-pressed") !== "true") document.querySelector("#arm").click(); void 0`))
}

// servePage serves a page of another site, which may import the client's modules from its own server too.
func servePage(t testing.TB, page string) (url string) {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/" {
			webdemo.Handler().ServeHTTP(w, r)
			return
		}
		w.Header().Set("Content-Type", "text/html")
		_, _ = io.WriteString(w, page)
	}))
	t.Cleanup(server.Close)
	return server.URL
}

// screenshot saves a picture of the page for people to look at.
func screenshot(t testing.TB, ctx context.Context, name string) {
	t.Helper()
	png, err := chromedp.Run(ctx, chromedp.CaptureScreenshot())
	if err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join("..", ".cache", "screenshots")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, name+".png"), png, 0o644); err != nil {
		t.Fatal(err)
	}
}

// listenAgain listens where a bridge did. Another test may have the port for a moment.
func listenAgain(t testing.TB, addr string) (ln net.Listener) {
	t.Helper()
	testkit.Eventually(t, testkit.Patience, addr+" is free", func() (err error) {
		ln, err = net.Listen("tcp", addr)
		return err
	})
	return ln
}
