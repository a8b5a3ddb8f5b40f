package webdemo_test

import (
	"context"
	"path/filepath"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	"github.com/clu-ws/clu-ws/internal/testkit"
)

// The page is built for development, where StrictMode makes each effect, takes it back and makes it again.
func TestTheHooksFollowTheirPropsAndEndWithTheirComponents(t *testing.T) {
	dir, o := newProject(t, "react"), startDemo(t)
	copyFile(t, filepath.Join(dir, "src", "main.tsx"), filepath.Join("testdata", "reacthooks.jsx"))
	url := build(t, dir, "development")
	ctx := testkit.Browser(t)
	shows := func(id, text string) {
		t.Helper()
		until(t, ctx, "#"+id+" shows "+text, `document.querySelector("#`+id+`")?.textContent === "`+text+`"`)
	}
	change := func(expression string) {
		t.Helper()
		do(t, ctx, chromedp.Evaluate[chromedp.Void](expression+"; void 0"))
	}
	do(t, ctx, chromedp.Navigate(url+"/?bridge=ws://"+o.addr+"/"))
	shows("connection", "open true null")
	shows("one", "true false")
	shows("still", "parked false")
	if n := evaluate[int](t, ctx, `openSockets()`); n != 1 {
		t.Errorf("%d sockets are open", n)
	}

	change(`record.beats = 0; clu.keyword("mount", "state").subscribe(() => { record.beats += 1; })`)
	renders := evaluate[int](t, ctx, `record.renders.still`)
	change(`change({ actor: "weather", name: "night_none" })`)
	shows("one", "undefined false") // nothing was heard of it
	change(`change({ actor: "dome", name: "dome_shutter" })`)
	shows("one", "closed false")
	showsNothingFirst(t, ctx, "weather.night_none ", "dome.dome_shutter ")
	change(`command.send("open")`)
	shows("command", "done false null")
	shows("one", "open false")
	// Its parent was rendered three times, and its own keyword may have come, each twice.
	if now := evaluate[int](t, ctx, `record.renders.still - 2 * record.beats`); now > renders+6 {
		t.Errorf("a component whose keyword did not change was rendered %d times", now-renders)
	}

	change(`change({ verb: "rotate" })`)
	shows("command", "idle false null") // the last one was none of these
	rejectsWhatIsNoText(t, ctx)
	change(`command.send("180")`)
	shows("command", "running true null")
	o.stopBridge()
	shows("command", "unknown false unknown")
	shows("connection", "closed false null")
	shows("one", "open true")
	change(`command.send("90")`)
	shows("command", "rejected false rejected")

	o.startBridge(t, listen(t))
	change(`change({ url: "ws://` + o.addr + `/" })`)
	shows("command", "idle false null") // another bridge's
	shows("connection", "open true null")
	change(`change({ mounted: false })`)
	until(t, ctx, "no socket is left", `document.querySelector("#gone") && openSockets() === 0 && clu.state === "closed" && clu.retryAt === null`)
	change(`change({ mounted: true })`)
	shows("still", "parked false")
}

// A component whose keyword is another one now shows no value until there is one.
func showsNothingFirst(t *testing.T, ctx context.Context, keywords ...string) {
	t.Helper()
	for _, keyword := range keywords {
		if first := evaluate[string](t, ctx, `record.shown.find((text) => text.startsWith("`+keyword+`"))`); first != keyword+"undefined true" {
			t.Errorf("what is shown first is %q", first)
		}
	}
}

// An event is what onClick={send} hands over; and without the 0, the verb alone would be another command.
func rejectsWhatIsNoText(t *testing.T, ctx context.Context) {
	t.Helper()
	got := evaluate[string](t, ctx, `[new MouseEvent("click"), 0].map((words) => command.send(words).message).join()`)
	if strings.Count(got, "must be a string") != 2 {
		t.Error(got)
	}
	until(t, ctx, "they are rejected", `command.state === "rejected"`)
}
