package webdemo_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	"github.com/clu-ws/clu-ws/internal/testkit"
)

// listed is an expression for the numbers of the replies that are in sight in the log.
const listed = `[...document.querySelectorAll(".rows .row:not(.gap) .body")].filter((body) => body.checkVisibility() && body.textContent !== "").map((body) => JSON.parse(body.textContent).n).sort((a, b) => a - b)`

// noteLoss notes that the page says that its connection is lost, however soon it is back.
const noteLoss = `window.lost = false;
	new MutationObserver(() => { window.lost ||= document.querySelector("#notice").textContent.includes("Connection lost"); })
		.observe(document.querySelector("#notice"), { childList: true, characterData: true, subtree: true }); void 0`

const logThere = `document.querySelector(".rows") !== null`

func TestThePageHasTheValuesAtOnceAndLosesNothingWhenItReconnects(t *testing.T) {
	t.Parallel()
	ctx := testkit.Browser(t)
	o := startObservatory(t)
	proxy := startFaultProxy(t, o.addr)
	p := o.publisher(t)
	const before = 10
	for range before {
		p.next()
	}
	p.text("dome", "w", "The shutter is slow.")
	readUntil := plainClient(t, o.addr)

	openPage(t, ctx, proxy.addr)
	for _, visit := range []string{"first", "reloaded"} {
		// 10 is internal, as every fifth reply is.
		for sender, n := range map[string]int{"dome": 10, "roof": 8, "weather": 9} {
			until(t, ctx, visit+": "+sender, fmt.Sprintf(`document.querySelector('[data-actor="%s"] [data-keyword="n"] .value')?.textContent === "%d"`, sender, n))
		}
		until(t, ctx, visit+": the problem", `document.querySelector('[data-actor="dome"][data-level="warn"] .problem')?.textContent === "The shutter is slow."`)
		if n := evaluate[int](t, ctx, `document.querySelectorAll("#actors [data-actor]").length`); n != 3 {
			t.Errorf("%s: there are %d rows", visit, n)
		}
		arm(t, ctx)
		screenshot(t, ctx, "page-"+visit)
		do(t, ctx, chromedp.SendKeys("#command-input", "nobody ping\r"), chromedp.WaitVisible(`#commands [data-consumer="nobody"][data-state="failed"]`))
		do(t, ctx, chromedp.Reload(), chromedp.WaitVisible(`#link-state[data-state="open"]`))
	}
	until(t, ctx, "the values have arrived", `document.querySelector('[data-actor="dome"] [data-keyword="n"] .value')?.textContent === "10"`)

	goTo(t, ctx, "#/log", logThere)
	stop := p.run()
	until(t, ctx, "replies arrive", fmt.Sprintf(listed+`.at(-1) > %d`, before+20))
	do(t, ctx, chromedp.Evaluate[chromedp.Void](noteLoss))
	proxy.cut()
	until(t, ctx, "the connection is lost", `window.lost`)
	until(t, ctx, "it is back", `document.querySelector("#link-state").dataset.state === "open"`)
	resumed := p.last()
	until(t, ctx, "new ones arrive", fmt.Sprintf(listed+`.at(-1) > %d`, resumed))
	stop()
	last := p.n
	until(t, ctx, "the last reply arrived", fmt.Sprintf(listed+`.at(-1) === %d`, last))
	if got := evaluate[[]int](t, ctx, listed); !slices.Equal(got, numbers(last-len(got)+1, last, func(int) bool { return true })) {
		t.Errorf("the list ends with\n%v", got)
	}
	until(t, ctx, "no reply is listed twice, and none is missing", fmt.Sprintf(`document.querySelector(".rows").ariaRowCount >= %d && document.querySelector(".rows .gap") === null`, last-before))
	screenshot(t, ctx, "page-resumed")
	readUntil(last)
	testkit.NoErrorsButOfTheNetwork(t, ctx)
}

func TestThePageShowsAGapAndABrokerThatIsDown(t *testing.T) {
	t.Parallel()
	ctx := testkit.Browser(t)
	o := startObservatory(t)
	p := o.publisher(t)
	openPage(t, ctx, o.addr)
	goTo(t, ctx, "#/log", logThere)
	p.next()
	p.publish("roof", "i", false, []byte(`{"n": 1}`))
	until(t, ctx, "replies are listed", listed+`.length === 2`)

	o.DropConnections()
	do(t, ctx, chromedp.WaitVisible(`.rows .row.gap`))
	until(t, ctx, "the gap is described", `/may be missing here/.test(document.querySelector(".rows .gap").textContent)`)
	until(t, ctx, "the broker is back", `document.querySelector("#broker-state").dataset.state === "up"`)
	p = o.publisher(t)
	p.next()
	until(t, ctx, "a reply follows", listed+`.length === 3`)
	do(t, ctx, chromedp.SendKeys("#log-text", "nothing has this"))
	until(t, ctx, "a filter hides no gap", `document.querySelector(".log-count, .count").textContent.startsWith("filtered") && document.querySelector(".rows .gap") !== null && `+listed+`.length === 0`)
	screenshot(t, ctx, "page-gap")

	for range 2 { // in a page that was there at the gap, and in one that comes after it
		goTo(t, ctx, "#/", `document.querySelector('[data-actor="roof"] [data-keyword="n"]') !== null`)
		until(t, ctx, "what was heard before the gap may be outdated, and what was heard after it is current", `document.querySelector('[data-actor="roof"] [data-keyword="n"]').matches("[data-outdated]")
			&& document.querySelector('[data-actor="dome"] [data-keyword="n"]').matches(":not([data-outdated])")`)
		screenshot(t, ctx, "page-outdated")
		goTo(t, ctx, "#/actor/roof", `/may be outdated/.test(document.querySelector('.keyword[data-keyword="n"] .limit')?.textContent)`)
		screenshot(t, ctx, "page-outdated-actor")
		do(t, ctx, chromedp.Reload(), chromedp.WaitReady(`#link-state[data-state="open"]`))
	}
	p.publish("roof", "i", false, []byte(`{"n": 2}`))
	until(t, ctx, "it is current when it is heard again", `document.querySelector('.keyword[data-keyword="n"]')?.matches(":not([data-outdated])")`)

	o.Close()
	arm(t, ctx)
	do(t, ctx, chromedp.WaitVisible(`#broker-state[data-state="down"]`),
		chromedp.SendKeys("#command-input", "dome open\r"), chromedp.WaitVisible(`#commands [data-consumer="dome"][data-state="rejected"]`))
	if words := evaluate[string](t, ctx, `document.querySelector("#commands .said").textContent`); !strings.Contains(words, "there is no connection to the broker") {
		t.Errorf("the command says %q", words)
	}
	screenshot(t, ctx, "page-down")
	do(t, ctx, chromedp.EmulateViewport(768, 1024))
	screenshot(t, ctx, "page-down-tablet")
	testkit.NoErrorsButOfTheNetwork(t, ctx)
}

func TestThePageContinuesWithARestartedBridge(t *testing.T) {
	t.Parallel()
	ctx := testkit.Browser(t)
	o := startObservatory(t)
	p := o.publisher(t)
	openPage(t, ctx, o.addr)
	goTo(t, ctx, "#/log", logThere)
	for range 3 {
		p.next()
	}
	until(t, ctx, "replies are listed", listed+`.length === 3`)

	o.stopBridge()
	until(t, ctx, "the connection is lost", `document.querySelector("#link-state").dataset.state !== "open"`)
	o.startBridge(t, listenAgain(t, o.addr))
	do(t, ctx, chromedp.WaitVisible(`#link-state[data-state="open"]`), chromedp.WaitVisible(`.rows .row.gap`))
	p.next()
	until(t, ctx, "new replies follow", listed+`.at(-1) === 4`)
	if words := evaluate[string](t, ctx, `document.querySelector(".rows .gap").textContent`); !strings.Contains(words, "this is epoch") {
		t.Errorf("the gap says %q", words)
	}
	goTo(t, ctx, "#/", `document.querySelector("#actors [data-actor]") !== null`)
	for sender, n := range map[string]int{"dome": 4, "roof": 2, "weather": 3} { // values from before the restart stay
		until(t, ctx, sender, fmt.Sprintf(`document.querySelector('[data-actor="%s"] [data-keyword="n"] .value')?.textContent === "%d"`, sender, n))
	}
	screenshot(t, ctx, "page-restarted")
	unexpected := func(e string) bool { // while nobody listens, the page asks whether it is that it may not connect
		return !testkit.OfTheNetwork(e) && !strings.Contains(e, "/whoami")
	}
	if errors := testkit.ConsoleErrors(t, ctx); slices.ContainsFunc(errors, unexpected) {
		t.Errorf("the page reports: %q", errors)
	}
}
