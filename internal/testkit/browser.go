package testkit

import (
	"context"
	"fmt"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
)

// browserTimeout bounds one test's use of its browser, from its start on.
const browserTimeout = 10 * time.Minute

// Chromium returns the path of Chromium or Chrome.
func Chromium(t testing.TB) (path string) {
	t.Helper()
	need(t, "Chromium")
	for _, name := range []string{
		"chromium", "chromium-browser", "google-chrome", "google-chrome-stable",
		"/Applications/Chromium.app/Contents/MacOS/Chromium",
		"/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
	} {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	Missing(t, "Chromium", "run scripts/setup-test.sh, or install chromium")
	return ""
}

// Browser starts a headless browser with a profile of its own and one empty tab, and returns the chromedp context of
// that tab, for chromedp.Do and chromedp.Run. The context ends after ten minutes, the browser with the test.
func Browser(t testing.TB) context.Context { return BrowserWith(t) }

// BrowserWith is [Browser] with additional options.
func BrowserWith(t testing.TB, options ...chromedp.ExecAllocatorOption) context.Context {
	t.Helper()
	return BrowserFor(t, browserTimeout, options...)
}

// BrowserFor is [BrowserWith] for a test or a benchmark that takes longer.
func BrowserFor(t testing.TB, timeout time.Duration, options ...chromedp.ExecAllocatorOption) context.Context {
	t.Helper()
	ctx, cancelTimeout := context.WithTimeout(context.Background(), timeout)
	t.Cleanup(cancelTimeout)
	options = append([]chromedp.ExecAllocatorOption{
		chromedp.ExecPath(Chromium(t)),
		chromedp.NoSandbox, // containers and root cannot have one; the pages are our own
		chromedp.Flag("disable-gpu", true),
		chromedp.Flag("disable-quic", true),
		chromedp.Flag("disable-component-update", true),
	}, options...)
	ctx, cancelAllocator := chromedp.NewExecAllocator(ctx, append(chromedp.DefaultExecAllocatorOptions[:], options...)...)
	t.Cleanup(cancelAllocator) // waits until the process has gone and its profile is removed
	ctx, cancelTab := chromedp.NewContext(ctx, chromedp.WithErrorf(t.Logf))
	t.Cleanup(func() {
		_ = chromedp.Cancel(ctx) // a browser that is asked to close leaves no temporary files
		cancelTab()
	})

	console := &console{seen: make(chan struct{}, 1)}
	ctx = context.WithValue(ctx, consoleKey{}, console)
	if err := chromedp.Do(ctx); err != nil {
		t.Fatalf("the browser did not start: %v", err)
	}
	console.collect(t, ctx)
	return ctx
}

// console collects what the page of one browser reports as an error.
type console struct {
	seen chan struct{} // receives a value for each marker

	mu     sync.Mutex // guards the following field
	errors []string
}

type consoleKey struct{}

const consoleMarker = "clu-ws testkit: everything up to here"

// collect reads the console in the background until the context of the tab ends.
func (c *console) collect(t testing.TB, ctx context.Context) {
	ctx, cancel := context.WithCancel(ctx)
	messages := chromedp.Console(ctx)
	done := make(chan struct{})
	go func() {
		defer close(done)
		for m, err := range messages {
			if err != nil {
				return // the tab is closed
			}
			c.add(m)
		}
	}()
	t.Cleanup(func() {
		cancel()
		<-done
	})
}

func (c *console) add(m chromedp.ConsoleMessage) {
	switch {
	case m.Text == consoleMarker:
		c.seen <- struct{}{}
	case m.Type == chromedp.ConsoleError || m.Type == chromedp.ConsoleException || m.Type == "assert":
		c.mu.Lock()
		defer c.mu.Unlock()
		c.errors = append(c.errors, fmt.Sprintf("%s (%s:%d)", m, m.URL, m.Line+1))
	}
}

// ConsoleErrors returns the errors on the console of the page so far: console.error, uncaught
// exceptions, unhandled rejections, and what the browser itself reports, such as a resource that did not
// load. ctx is the context of [Browser].
func ConsoleErrors(t testing.TB, ctx context.Context) []string {
	t.Helper()
	c, ok := ctx.Value(consoleKey{}).(*console)
	if !ok {
		t.Fatal("this context is not from testkit.Browser")
	}
	// The console is in order: once the marker is seen, so is everything written before it.
	if err := chromedp.Do(ctx, mark()); err != nil {
		t.Fatal(err)
	}
	select {
	case <-c.seen:
	case <-ctx.Done():
		t.Fatal(ctx.Err())
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	return append([]string(nil), c.errors...)
}

func mark() chromedp.Action[chromedp.Void] {
	return chromedp.Evaluate[chromedp.Void]("void console.debug('" + consoleMarker + "')")
}

// OfTheNetwork reports whether a page has written this of a server that is away: of a resource, or of a handshake.
func OfTheNetwork(message string) bool {
	return strings.Contains(message, "net::ERR_") || strings.Contains(message, "Connection closed before receiving a handshake response")
}

// NoErrorsButOfTheNetwork is [NoConsoleErrors] for a test that has cut connections or stopped a bridge: the page may have been
// loading something at that moment.
func NoErrorsButOfTheNetwork(t testing.TB, ctx context.Context) {
	t.Helper()
	for _, e := range ConsoleErrors(t, ctx) {
		if !OfTheNetwork(e) {
			t.Errorf("the page reports: %s", e)
		}
	}
}

// NoConsoleErrors fails the test if [ConsoleErrors] has any.
func NoConsoleErrors(t testing.TB, ctx context.Context) {
	t.Helper()
	for _, e := range ConsoleErrors(t, ctx) {
		t.Errorf("the page reports: %s", e)
	}
}
