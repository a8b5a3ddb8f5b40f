package webdemo_test

import (
	"fmt"
	"io/fs"
	"net/http"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/chromedp/chromedp"

	"github.com/clu-ws/clu-ws/bridge"
	"github.com/clu-ws/clu-ws/internal/testkit"
	webdemo "github.com/clu-ws/clu-ws/web-demo"
)

// otherVersion serves a page of which one module differs.
func otherVersion(t *testing.T, module string) http.Handler {
	t.Helper()
	all := fstest.MapFS{}
	err := fs.WalkDir(webdemo.Files, ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		content, err := fs.ReadFile(webdemo.Files, name)
		if name == module {
			content = append(content, "\nconsole.info(\"another version\");\n"...)
		}
		all[name] = &fstest.MapFile{Data: content}
		return err
	})
	if err != nil || all[module] == nil {
		t.Fatalf("%s: %v", module, err)
	}
	return webdemo.HandlerOf(all)
}

// without serves a page as it is when the bridge does not answer for some of its files.
func without(page http.Handler, missing string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasPrefix(r.URL.Path, missing) {
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		page.ServeHTTP(w, r)
	})
}

// replace stops the bridge and starts one that serves another page.
func (o *observatory) replace(t *testing.T, page http.Handler) {
	t.Helper()
	o.stopBridge()
	o.configure = func(cfg *bridge.Config) { cfg.Page = page }
	o.startBridge(t, listenAgain(t, o.addr))
}

func TestAnOpenPageSaysThatTheBridgeWasReplacedByAnotherVersion(t *testing.T) {
	t.Parallel()
	ctx := testkit.Browser(t)
	o := startConfigured(t, func(cfg *bridge.Config) { cfg.Page = without(webdemo.Handler(), "/bundle/plot-") })
	queue := testkit.OpenChannel(t, o.url)
	if _, err := queue.QueueDeclare("dome_commands", false, false, true, false, nil); err != nil {
		t.Fatal(err)
	}
	if err := queue.QueueBind("dome_commands", "command.dome.#", "sdss_exchange", false, nil); err != nil {
		t.Fatal(err)
	}
	openPage(t, ctx, o.addr)
	arm(t, ctx)
	do(t, ctx, chromedp.Evaluate[chromedp.Void](`window.opened = "first"; void 0`),
		chromedp.SendKeys("#command-input", "dome open\r"), chromedp.WaitVisible(`#commands [data-consumer="dome"][data-state="sent"]`))
	const connected = `document.querySelector("#link-state").dataset.state === "open"`
	until(t, ctx, "the rest of the page is loaded", `performance.getEntriesByType("resource").some(({ name }) => name.endsWith("/bundle/version"))`)

	o.replace(t, webdemo.Handler())
	until(t, ctx, "it is connected again", connected)
	until(t, ctx, "the version was asked for again", `performance.getEntriesByType("resource").filter(({ name }) => name.endsWith("/bundle/version")).length > 1`)
	if evaluate[bool](t, ctx, `document.querySelector("#renewed") !== null`) {
		t.Error("a bridge of the same version is said to be of another one")
	}
	until(t, ctx, "the end of the command is unknown", `document.querySelector('#commands [data-consumer="dome"]').dataset.state === "unknown"`)

	do(t, ctx, chromedp.SendKeys("#command-input", "dome close"))
	o.replace(t, otherVersion(t, "page/plot/plot.js"))
	do(t, ctx, chromedp.WaitVisible("#renew"))
	screenshot(t, ctx, "renewal")
	goTo(t, ctx, "#/plot", `/could not be shown.*Load the page again/.test(document.querySelector("#view").textContent)`)
	for _, size := range sizes {
		do(t, ctx, chromedp.EmulateViewport(size.width, size.height))
		screenshot(t, ctx, "renewal-view-"+size.name)
	}

	do(t, ctx, chromedp.Click("#renew"))
	until(t, ctx, "it asks first", `/is lost/.test(document.querySelector("#renew").textContent)`)
	const draft = `document.querySelector("#command-input").value`
	if got := evaluate[string](t, ctx, `window.opened + " " + `+draft); got != "first dome close" {
		t.Errorf("the page is %q", got)
	}
	do(t, ctx, chromedp.Click("#renew"))
	do(t, ctx, chromedp.WaitReady(`#view[data-view="plot"] .view`)) // which the old page could not show
	until(t, ctx, "the new page is there", `window.opened === undefined && `+connected)
	until(t, ctx, "it is that of the bridge", fmt.Sprintf(`performance.getEntriesByType("resource").some(({ name }) => name.endsWith("/bundle/version")) && document.querySelector("#renewed") === null && %s === ""`, draft))
}
