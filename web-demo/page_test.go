package webdemo_test

import (
	"fmt"
	"net"
	"slices"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	"github.com/clu-ws/clu-ws/internal/testkit"
)

// listed is an expression for the numbers in the page's list of replies.
const listed = `[...document.querySelectorAll("#replies > li:not(.gap) .body")].map((body) => JSON.parse(body.textContent).n)`

func TestThePageHasTheValuesAtOnceAndLosesNothingWhenItReconnects(t *testing.T) {
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
		if n := evaluate[int](t, ctx, `document.querySelectorAll("#replies > li").length`); n != 0 {
			t.Errorf("%s: %d replies are listed", visit, n)
		}
		until(t, ctx, visit+": the last message", `document.querySelector('[data-actor="dome"][data-level="warn"] .message[data-code="w"] .words')?.textContent === "The shutter is slow."`)
		if n := evaluate[int](t, ctx, `document.querySelectorAll("[data-actor]").length`); n != 3 {
			t.Errorf("%s: there are %d cards", visit, n)
		}
		screenshot(t, ctx, "page-"+visit)
		do(t, ctx, chromedp.SendKeys("#command-input", "nobody ping\r"), chromedp.WaitVisible(`#commands [data-consumer="nobody"][data-state="failed"]`))
		do(t, ctx, chromedp.Reload(), chromedp.WaitVisible(`#link-state[data-state="open"]`))
	}
	until(t, ctx, "the values have arrived", `document.querySelector('[data-actor="dome"] [data-keyword="n"] .value')?.textContent === "10"`)

	stop := p.run()
	until(t, ctx, "replies arrive", listed+`.length > 20`)
	proxy.cut()
	until(t, ctx, "the connection is lost", `document.querySelector("#link-state").dataset.state !== "open"`)
	until(t, ctx, "missed replies arrive", `document.querySelector("#replies > li[data-late]") !== null`)
	until(t, ctx, "new ones too", `!document.querySelector("#replies").lastElementChild.matches("[data-late]")`)
	stop()
	last := p.n
	until(t, ctx, "the last reply arrived", fmt.Sprintf(listed+`.at(-1) === %d`, last))
	if got, want := evaluate[[]int](t, ctx, listed), numbers(before+1, last, func(int) bool { return true }); !slices.Equal(got, want) {
		t.Errorf("the list has\n%v, not\n%v", got, want)
	}
	until(t, ctx, "the notice reports it", `document.querySelector("#notice").textContent.includes("from the time without a connection arrived late")`)
	screenshot(t, ctx, "page-resumed")
	readUntil(last)
	testkit.NoConsoleErrors(t, ctx)
}

func TestThePageShowsAGapAndABrokerThatIsDown(t *testing.T) {
	ctx := testkit.Browser(t)
	o := startObservatory(t)
	p := o.publisher(t)
	openPage(t, ctx, o.addr)
	p.next()
	until(t, ctx, "a reply is listed", listed+`.length === 1`)
	if evaluate[bool](t, ctx, `document.querySelector("#broker-state").offsetParent !== null`) {
		t.Error("the state of a broker that is up is shown")
	}

	o.DropConnections()
	do(t, ctx, chromedp.WaitVisible(`#replies > li.gap`))
	until(t, ctx, "the gap is described", `/may be missing here/.test(document.querySelector("#replies > li.gap .words").textContent) && /may be missing/.test(document.querySelector("#notice").textContent)`)
	until(t, ctx, "the broker is back", `document.querySelector("#broker-state").hidden`)
	p = o.publisher(t)
	p.next()
	until(t, ctx, "a reply follows", `document.querySelector("#replies > li.gap + li:not(.gap)") !== null`)
	do(t, ctx, chromedp.SendKeys("#filter-text", "nothing has this"))
	if n := evaluate[int](t, ctx, `document.querySelectorAll("#replies > li.gap").length`); n != 1 {
		t.Errorf("with a filter %d gaps are listed", n)
	}
	screenshot(t, ctx, "page-gap")

	o.Close()
	do(t, ctx, chromedp.WaitVisible(`#broker-state[data-state="down"]`),
		chromedp.SendKeys("#command-input", "dome open\r"), chromedp.WaitVisible(`#commands [data-consumer="dome"][data-state="rejected"]`))
	if words := evaluate[string](t, ctx, `document.querySelector("#commands .said").textContent`); !strings.Contains(words, "there is no connection to the broker") {
		t.Errorf("the command says %q", words)
	}
	screenshot(t, ctx, "page-down")
	do(t, ctx, chromedp.EmulateViewport(768, 1024))
	screenshot(t, ctx, "page-down-tablet")
	testkit.NoConsoleErrors(t, ctx)
}

func TestThePageContinuesWithARestartedBridge(t *testing.T) {
	ctx := testkit.Browser(t)
	o := startObservatory(t)
	p := o.publisher(t)
	openPage(t, ctx, o.addr)
	for range 3 {
		p.next()
	}
	until(t, ctx, "replies are listed", listed+`.length === 3`)

	o.stopBridge()
	until(t, ctx, "the connection is lost", `document.querySelector("#link-state").dataset.state !== "open"`)
	listener, err := net.Listen("tcp", o.addr)
	if err != nil {
		t.Fatal(err)
	}
	o.startBridge(t, listener)
	do(t, ctx, chromedp.WaitVisible(`#link-state[data-state="open"]`), chromedp.WaitVisible(`#replies > li.gap`))
	p.next()
	until(t, ctx, "new replies follow", `document.querySelector("#replies > li.gap + li .body")?.textContent.includes('"n":4')`)
	if words := evaluate[string](t, ctx, `document.querySelector("#replies > li.gap .words").textContent`); !strings.Contains(words, "this is epoch") {
		t.Errorf("the gap says %q", words)
	}
	for sender, n := range map[string]int{"dome": 4, "roof": 2, "weather": 3} { // values from before the restart stay
		until(t, ctx, sender, fmt.Sprintf(`document.querySelector('[data-actor="%s"] [data-keyword="n"] .value')?.textContent === "%d"`, sender, n))
	}
	screenshot(t, ctx, "page-restarted")
	if errors := testkit.ConsoleErrors(t, ctx); slices.ContainsFunc(errors, func(e string) bool { return !strings.Contains(e, "ERR_CONNECTION_REFUSED") }) {
		t.Errorf("the page reports: %q", errors)
	}
}
