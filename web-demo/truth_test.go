package webdemo_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"

	"github.com/clu-ws/clu-ws/bridge"
	"github.com/clu-ws/clu-ws/internal/testkit"
)

// The faults of the console that its store and client answer for: what is old says so, a page that is behind gets
// cheaper, and digits are not lost.

// openView opens a view of the console, and waits until it is connected.
func openView(t testing.TB, ctx context.Context, addr, view string, size viewport) {
	t.Helper()
	do(t, ctx, onNewDocument(countSockets))
	visit(t, ctx, addr, "#/"+view, size)
	until(t, ctx, "what it shows is current", `document.body.dataset.dead === undefined`)
}

// block stops the page's only thread, with an alert, while f runs, and at least for so long: it reads nothing meanwhile. A loop
// would do the same, and take a processor from all other tests.
func block(t testing.TB, ctx context.Context, span time.Duration, f func()) {
	t.Helper()
	opened := chromedp.Events(ctx, page.JavascriptDialogOpening)
	do(t, ctx, chromedp.Evaluate[chromedp.Void](`window.blocked = true; setTimeout(() => { alert("blocked"); window.blocked = false; }, 0)`))
	for _, err := range opened {
		if err != nil {
			t.Fatal(err)
		}
		break
	}
	over := time.After(span) // the length of the pause is what is tested
	f()
	<-over
	do(t, ctx, chromedp.Func(func(ctx context.Context, target *chromedp.Target) error {
		_, err := cdp.Call(ctx, target, page.HandleJavaScriptDialog, page.HandleJavaScriptDialogParams{Accept: true})
		return err
	}))
	until(t, ctx, "the page runs again", `window.blocked === false`)
}

func inSeconds(selector string) string {
	return fmt.Sprintf(`Number(/(\d+)s/.exec(document.querySelector(%q)?.textContent)?.[1])`, selector)
}

func TestTheAgeOfAValueCountsFromWhenTheBridgeHeardIt(t *testing.T) {
	t.Parallel()
	for _, size := range sizes {
		t.Run(size.name, func(t *testing.T) {
			ctx := testkit.Browser(t)
			o := startObservatory(t)
			p := o.publisher(t)
			p.publish("dome", "i", false, []byte(`{"shutter": "open"}`))
			openView(t, ctx, o.addr, "actor/dome", size)
			const value, age = `[data-keyword="shutter"] .value`, `[data-keyword="shutter"] .age`
			until(t, ctx, "the value is shown", `document.querySelector('`+value+`')?.textContent === "open"`)
			do(t, ctx, chromedp.Evaluate[chromedp.Void](`window.told = []; new MutationObserver(() => { told.push(document.body.dataset.dead ?? "current"); })
				.observe(document.body, {attributeFilter: ["data-dead"]})`))

			block(t, ctx, 10*time.Second, func() { p.publish("dome", "i", false, []byte(`{"shutter": "closed"}`)) })
			until(t, ctx, "the value has come", `document.querySelector('`+value+`').textContent === "closed"`)
			until(t, ctx, "its age is shown", inSeconds(age)+` >= 4`)
			if told := evaluate[[]string](t, ctx, `told`); len(told) == 0 || told[0] != "behind" {
				t.Errorf("the page was ten seconds behind and told %q", told)
			}
			until(t, ctx, "it is current again", `document.body.dataset.dead === undefined`)
			screenshot(t, ctx, "truth-age-"+size.name)
			testkit.NoConsoleErrors(t, ctx)
		})
	}
}

func TestTheAgeIsTrueWhateverTheClockOfTheComputerSays(t *testing.T) {
	t.Parallel()
	ctx := testkit.Browser(t)
	o := startObservatory(t)
	p := o.publisher(t)
	p.publish("dome", "i", false, []byte(`{"shutter": "open"}`))
	do(t, ctx, onNewDocument(`{ const now = Date.now.bind(Date); Date.now = () => now() + 7_200_000; }`))
	openView(t, ctx, o.addr, "actor/dome", sizes[0])
	until(t, ctx, "the age is shown", inSeconds(`[data-keyword="shutter"] .age`)+` < 30`)
	until(t, ctx, "the page says that the clock is wrong", `/clock is 2 h fast|clock is 120 min fast/.test(document.querySelector("#clock-wrong").textContent) && !document.querySelector("#clock-wrong").hidden`)
	shown := evaluate[string](t, ctx, `document.querySelector("#clock").textContent`)
	at, err := time.Parse("2006-01-02 15:04:05 MST", shown)
	if err != nil || time.Since(at).Abs() > time.Minute {
		t.Errorf("the clock shows %q (%v)", shown, err)
	}
}

// watchAges counts in window.trueAges the writes in a row, of the row of a00, after which its value is no older than its age
// says, not even a second later: ages are written once a second.
const watchAges = `window.trueAges = 0; new MutationObserver(() => {
	const at = (%s);
	window.trueAges = at.Value > 0 && at.Now - at.Value + 1000 <= at.Age * 1000 ? window.trueAges + 1 : 0;
}).observe(document.querySelector("#view"), {subtree: true, childList: true, characterData: true})`

func TestNoValueIsOlderThanItsAgeSaysOnASlowPage(t *testing.T) {
	t.Parallel()
	for _, view := range []string{"", "actor/a00"} {
		ctx := testkit.Browser(t)
		o := startObservatory(t)
		s := o.replyStorm(t)
		s.all()
		openView(t, ctx, o.addr, view, sizes[0])
		do(t, ctx, throttle(slowCPU), chromedp.Evaluate[chromedp.Void](fmt.Sprintf(watchAges, probe)))
		stop := s.run(200)
		until(t, ctx, fmt.Sprintf("the ages of view %q are true", view), `window.trueAges >= 5`)
		stop()
		testkit.NoConsoleErrors(t, ctx)
	}
}

func TestAPageWhoseBridgeStandsStillSaysSoAndSinceWhen(t *testing.T) {
	t.Parallel()
	for _, size := range sizes {
		t.Run(size.name, func(t *testing.T) {
			ctx := testkit.Browser(t)
			o := startObservatory(t)
			p := o.publisher(t)
			p.publish("dome", "i", false, []byte(`{"shutter": "open"}`))
			proxy := startFaultProxy(t, o.addr)
			begun := time.Now()
			openView(t, ctx, proxy.addr, "actor/dome", size)
			until(t, ctx, "the value is shown", `document.querySelector('[data-keyword="shutter"] .value')?.textContent === "open"`)
			caught, release := proxy.stall()
			defer release()
			<-caught // it has asked the bridge for a sign of life
			asked := time.Now()
			until(t, ctx, "it says that the bridge does not answer", `document.body.dataset.dead === "silent" && /has not answered for \d+ s/.test(document.querySelector("#dead").textContent)`)
			until(t, ctx, "the tab says so", `document.title.startsWith("✕")`)
			shown := evaluate[string](t, ctx, `/as of (\d\d:\d\d:\d\d) UTC/.exec(document.querySelector("#dead").textContent)[1]`)
			if now, earliest, latest := clockOf(t, shown), clockOf(t, begun.UTC().Format(time.TimeOnly)), clockOf(t, asked.UTC().Format(time.TimeOnly)); begun.UTC().Day() == asked.UTC().Day() && (now.Before(earliest) || now.After(latest)) {
				t.Errorf("what is shown is as of %s; the bridge was heard last between %s and %s", shown, begun.UTC(), asked.UTC())
			}
			screenshot(t, ctx, "truth-silent-"+size.name)
			release()
			until(t, ctx, "it is current", `document.body.dataset.dead === undefined && !document.title.startsWith("✕")`)
			testkit.NoConsoleErrors(t, ctx)
		})
	}
}

func clockOf(t *testing.T, text string) time.Time {
	t.Helper()
	at, err := time.Parse(time.TimeOnly, text)
	if err != nil {
		t.Fatal(err)
	}
	return at
}

func TestAPageThatFallsBehindSkipsWhatIsOldAndIsCurrentAgain(t *testing.T) {
	t.Parallel()
	for _, size := range sizes {
		t.Run(size.name, func(t *testing.T) {
			ctx := testkit.Browser(t)
			o := startObservatory(t)
			s := o.replyStorm(t)
			s.all()
			openView(t, ctx, o.addr, "actor/a00", size)
			const k0 = `Number(document.querySelector('[data-keyword="k0"] .value')?.textContent)`
			until(t, ctx, "the value is shown", k0+` > 0`)
			stop := s.run(300)
			block(t, ctx, 10*time.Second, func() {})
			until(t, ctx, "it says that it is behind, or has caught up", `document.body.dataset.dead === "behind" || /were left out/.test(document.querySelector("#notice").textContent)`)
			until(t, ctx, "it has told what it left out", `/\d+ replies were left out: this page reads too slowly/.test(document.querySelector("#notice").textContent)`)
			stop()
			until(t, ctx, "it shows the last value", fmt.Sprintf(k0+` === %d`, s.last.Load()))
			until(t, ctx, "it is current", `document.body.dataset.dead === undefined`)
			if closes := evaluate[[]string](t, ctx, `sockets.closes`); len(closes) > 0 {
				t.Errorf("it was closed: %q", closes)
			}
			do(t, ctx, chromedp.Evaluate[chromedp.Void](`location.hash = "#/log"`))
			until(t, ctx, "the log is shown", `document.querySelector(".rows .row") !== null`)
			screenshot(t, ctx, "truth-behind-"+size.name)
			testkit.NoConsoleErrors(t, ctx)
		})
	}
}

func TestAPageThatIsClosedAsTooSlowDoesNotAskForTheWholeBacklogAgain(t *testing.T) {
	t.Parallel()
	ctx := testkit.Browser(t)
	o := startConfigured(t, func(cfg *bridge.Config) { cfg.Limits.LogBytes = 256 << 10 })
	p := o.publisher(t)
	p.publish("dome", "i", false, []byte(`{"n": 0}`))
	openView(t, ctx, o.addr, "actor/dome", sizes[0])
	const n = `document.querySelector('[data-keyword="n"] .value')?.textContent`
	until(t, ctx, "the value is shown", n+` === "0"`)
	filler := strings.Repeat("x", 60_000)
	const last = 1_000 // 60 MB: more than the sockets and the browser keep
	block(t, ctx, 20*time.Second, func() {
		for i := 1; i <= last; i++ {
			p.publish("dome", "i", false, fmt.Appendf(nil, `{"n": %d, "filler": %q}`, i, filler))
		}
	})
	until(t, ctx, "it was closed", `sockets.closes.length > 0`)
	// The browser does not always see the reason: the bridge cannot write it to a socket that is full.
	if closes := evaluate[[]string](t, ctx, `sockets.closes`); !strings.HasPrefix(closes[0], "1008 too slow") && closes[0] != "1006 " {
		t.Fatalf("it was closed with %q", closes)
	}
	until(t, ctx, "it is connected again, and current", fmt.Sprintf(n+` === "%d" && document.body.dataset.dead === undefined`, last))
	if messages := evaluate[[]int](t, ctx, `sockets.of`); len(messages) != 2 || messages[1] > 50 {
		t.Errorf("its sockets had %d messages to read", messages)
	}
	p.publish("dome", "i", false, []byte(`{"n": -1}`))
	until(t, ctx, "it hears the next reply", n+` === "-1"`)
	do(t, ctx, chromedp.Evaluate[chromedp.Void](`location.hash = "#/log"`))
	until(t, ctx, "the log says what is missing", `[...document.querySelectorAll(".rows .row.gap .body")].some(({textContent}) => /of [1-9][0-9.]* s may be missing here.*this page read too slowly; it goes on with the last values/.test(textContent))`)
	testkit.NoConsoleErrors(t, ctx)
}
