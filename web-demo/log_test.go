package webdemo_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"github.com/clu-ws/clu-ws/bridge"
	"github.com/clu-ws/clu-ws/internal/testkit"
)

// Expressions for the log: how many rows it has, those in sight in their order, and the numbers in them.
const (
	logRows    = `Number(document.querySelector(".rows").getAttribute("aria-rowcount"))`
	logInSight = `[...document.querySelectorAll(".row:not([hidden])")].sort((a, b) => a.ariaRowIndex - b.ariaRowIndex)`
	logNumbers = logInSight + `.filter((row) => !row.matches(".gap")).map((row) => JSON.parse(row.querySelector(".body").textContent).n)`
	logHead    = `document.querySelector(".log-head").textContent`
)

func TestTheLogGoesBackToBeforeThePageWasLoaded(t *testing.T) {
	t.Parallel()
	ctx := testkit.Browser(t)
	o := startObservatory(t)
	p := o.publisher(t)
	const before = 1_300
	for range before {
		p.next()
	}
	for i, size := range sizes {
		openHash(t, ctx, o.addr, "#/log", size)
		until(t, ctx, "the newest are there", logNumbers+fmt.Sprintf(`.at(-1) === %d`, p.n))
		if got, want := evaluate[[]int](t, ctx, logNumbers), numbers(p.n-10, p.n, func(int) bool { return true }); !slices.Equal(got[max(0, len(got)-len(want)):], want) {
			t.Errorf("at %v the end of the list is %v", size, got)
		}
		do(t, ctx, chromedp.Focus(".rows"))
		until(t, ctx, "Home goes back until there is nothing before", `(() => {
			document.querySelector(".rows").dispatchEvent(new KeyboardEvent("keydown", { key: "Home", bubbles: true }));
			return `+logHead+`.startsWith("The bridge has nothing before ") && `+logNumbers+`[0] === 1;
		})()`)
		until(t, ctx, "all are listed, once", fmt.Sprintf(`%s === %d`, logRows, p.n))
		if n := evaluate[int](t, ctx, `document.querySelectorAll(".row").length`); n > 120 {
			t.Errorf("at %v there are %d rows in the page", size, n)
		}
		screenshot(t, ctx, fmt.Sprintf("log-%d", i))
		testkit.Accessible(t, ctx, fmt.Sprintf("log at %v", size))
		p.next()
		until(t, ctx, "a new one is counted, and does not move what is read", fmt.Sprintf(`%s === %d && %s[0] === 1 && !document.querySelector(".log-newest").hidden`, logRows, p.n, logNumbers))
		do(t, ctx, chromedp.Focus(".rows"), chromedp.KeyEvent(kb.End))
		until(t, ctx, "End goes to the newest", logNumbers+fmt.Sprintf(`.at(-1) === %d && document.querySelector(".log-newest").hidden`, p.n))
	}
	testkit.NoConsoleErrors(t, ctx)
}

func TestTheLogGoesOnInTheStreamBeyondTheBridgesMemory(t *testing.T) {
	t.Parallel()
	node := testkit.StartRabbitMQ(t)
	ctx := testkit.Browser(t)
	o := &observatory{url: node.URL(), configure: func(cfg *bridge.Config) {
		cfg.Durable.Stream, cfg.History.Replies = &bridge.Stream{Bytes: 100 << 20}, 20
	}}
	o.startBridge(t, listen(t))
	p := o.publisher(t)
	for range 1_700 {
		p.next()
	}
	openHash(t, ctx, o.addr, "#/log", sizes[0])
	until(t, ctx, "the newest are there", logNumbers+fmt.Sprintf(`.at(-1) === %d`, p.n))
	do(t, ctx, chromedp.Focus(".rows"))
	until(t, ctx, "Home goes back until there is nothing before", `(() => {
		document.querySelector(".rows").dispatchEvent(new KeyboardEvent("keydown", { key: "Home", bubbles: true }));
		return `+logHead+`.startsWith("The bridge has nothing before ") && `+logNumbers+`[0] === 1;
	})()`)
	until(t, ctx, "all are listed, once", fmt.Sprintf(`%s === %d`, logRows, p.n))
	testkit.NoConsoleErrors(t, ctx)
}

func TestTheLogIsAGridThatIsUsedWithoutAMouse(t *testing.T) {
	t.Parallel()
	ctx := testkit.Browser(t)
	o := startObservatory(t)
	p := o.publisher(t)
	for range 50 {
		p.next()
	}
	for _, size := range sizes {
		openHash(t, ctx, o.addr, "#/log", size)
		until(t, ctx, "the replies are there", logRows+` === 50`)
		if evaluate[bool](t, ctx, `document.querySelector("ol[role=log], [role=log] li") !== null`) {
			t.Error("an item of a list is in something that is no list")
		}
		do(t, ctx, chromedp.Focus(".rows"), chromedp.KeyEvent(kb.ArrowUp), chromedp.KeyEvent(kb.ArrowUp))
		until(t, ctx, "the last but one is chosen", `document.getElementById(document.querySelector(".rows").getAttribute("aria-activedescendant"))?.ariaRowIndex === "49"`)
		do(t, ctx, chromedp.KeyEvent("\r"), chromedp.WaitVisible(".envelope"))
		until(t, ctx, "the envelope has the focus", `document.activeElement.matches(".envelope-json")`)
		var envelope struct{ Body struct{ N int } }
		if err := json.Unmarshal([]byte(evaluate[string](t, ctx, `document.querySelector(".envelope-json").textContent`)), &envelope); err != nil || envelope.Body.N != 49 {
			t.Errorf("the envelope is that of %d (%v)", envelope.Body.N, err)
		}
		testkit.Accessible(t, ctx, fmt.Sprintf("envelope at %v", size))
		do(t, ctx, chromedp.KeyEvent(kb.Escape))
		until(t, ctx, "Escape gives the focus back", `document.querySelector(".envelope").hidden && document.activeElement.matches(".rows")`)
		do(t, ctx, chromedp.KeyEvent(kb.Home))
		until(t, ctx, "Home chooses the first", `document.getElementById(document.querySelector(".rows").getAttribute("aria-activedescendant"))?.ariaRowIndex === "1"`)
	}
	testkit.NoConsoleErrors(t, ctx)
}

func TestTheLogOpensAtOneReply(t *testing.T) {
	t.Parallel()
	ctx := testkit.Browser(t)
	o := startObservatory(t)
	p := o.publisher(t)
	for range 1_200 {
		p.next()
	}
	openHash(t, ctx, o.addr, "#/log", sizes[0])
	until(t, ctx, "the newest are there", logNumbers+`.at(-1) === 1200`)
	do(t, ctx, chromedp.Evaluate[chromedp.Void](`{
		Object.defineProperty(navigator, "clipboard", { value: { writeText: async (text) => { window.copied = text; } } });
		`+logInSight+`.at(-3).click();
	} void 0`), chromedp.WaitVisible(".envelope"), chromedp.Click(".envelope-link"))
	until(t, ctx, "the link is copied", `/#\/log\?at=[^:]+:\d+$/.test(window.copied ?? "")`)
	url := evaluate[string](t, ctx, `window.copied`)

	at := strings.LastIndexByte(url, ':')
	for seq, n := range map[string]int{url[at+1:]: 1_198, "300": 300} {
		do(t, ctx, chromedp.Navigate("about:blank"), chromedp.Navigate(url[:at+1]+seq))
		until(t, ctx, "the reply is in sight, and marked", fmt.Sprintf(`JSON.parse(document.querySelector(".row[data-marked]:not([hidden]) .body")?.textContent ?? "{}").n === %d`, n))
		if evaluate[bool](t, ctx, `document.querySelectorAll(".row[data-marked]:not([hidden])").length !== 1`) {
			t.Error("more than one reply is marked")
		}
	}
	screenshot(t, ctx, "log-at")
	do(t, ctx, chromedp.Focus(".rows"))
	until(t, ctx, "from there one gets to the newest", `(() => {
		document.querySelector(".rows").dispatchEvent(new KeyboardEvent("keydown", { key: "End", bubbles: true }));
		return `+logNumbers+`.at(-1) === 1200;
	})()`)
	do(t, ctx, chromedp.Navigate("about:blank"), chromedp.Navigate("http://"+o.addr+"/#/log?at=earlier:5"))
	until(t, ctx, "a reply of another epoch is not there", `document.querySelector("#notice").textContent.includes("The reply earlier:5 is not there any more")`)
	until(t, ctx, "the newest are shown instead", logNumbers+`.at(-1) === 1200`)
	testkit.NoConsoleErrors(t, ctx)
}

func TestTheLogShowsWhatIsChosenAndTheURLSaysIt(t *testing.T) {
	t.Parallel()
	ctx := testkit.Browser(t)
	o := startObservatory(t)
	p := o.publisher(t)
	for range 30 { // every third is of dome, every fifth internal
		p.next()
	}
	p.text("roof", "w", "The roof is slow.")
	openHash(t, ctx, o.addr, "#/log", sizes[1])
	until(t, ctx, "all are listed", logRows+` === 31`)
	do(t, ctx, chromedp.Click(".log-facet summary"), chromedp.WaitVisible(`.log-senders [data-sender="dome"]`))
	until(t, ctx, "senders are counted", `document.querySelector('.log-senders [data-sender="roof"]') !== null`)
	do(t, ctx, chromedp.Click(`.log-senders [data-sender="dome"] input`))
	until(t, ctx, "one sender is listed", logRows+` === 10 && location.hash === "#/log?sender=dome"`)
	do(t, ctx, chromedp.Click(`.log-senders [data-sender="dome"] input`), chromedp.Click(".log-facet summary"), chromedp.Click(".log-internal"))
	until(t, ctx, "internal ones are hidden", logRows+` === 25 && location.hash === "#/log?internal=hide"`)
	do(t, ctx, chromedp.Click(".log-internal"), chromedp.SendKeys("#log-text", `/"n":1\d/ -dome`))
	until(t, ctx, "words and expressions are looked for", logRows+` === 6 && new URLSearchParams(location.hash.split("?")[1]).get("q") === '/"n":1\\d/ -dome'`)
	hash := evaluate[string](t, ctx, `location.hash`)
	do(t, ctx, chromedp.SendKeys("#log-text", " /(/"))
	until(t, ctx, "a mistake is said", `document.querySelector(".log-error").textContent.startsWith("/(/ is no regular expression: ")`)
	do(t, ctx, chromedp.KeyEvent(kb.Escape))
	until(t, ctx, "Escape leaves the field, and what was typed", `document.activeElement.id !== "log-text" && document.querySelector("#log-text").value.endsWith("/(/")`)

	openHash(t, ctx, o.addr, hash, sizes[1])
	until(t, ctx, "the URL has it all", logRows+` === 6 && document.querySelector("#log-text").value === '/"n":1\\d/ -dome'`)
	openHash(t, ctx, o.addr, "#/log?code=we!f", sizes[1])
	until(t, ctx, "codes are chosen", logRows+` === 1 && document.querySelector('[data-toggle-code="i"]').getAttribute("aria-pressed") === "false"`)
	testkit.NoConsoleErrors(t, ctx)
}

func TestTheLogIsStillWhileItIsPaused(t *testing.T) {
	t.Parallel()
	ctx := testkit.Browser(t)
	o := startObservatory(t)
	p := o.publisher(t)
	openHash(t, ctx, o.addr, "#/log", sizes[0])
	for range 5 {
		p.next()
	}
	until(t, ctx, "replies are listed", logRows+` === 5`)
	do(t, ctx, chromedp.Click(".log-pause"))
	for range 7 {
		p.next()
	}
	until(t, ctx, "new ones are counted", `document.querySelector(".log-newest").textContent === "Paused · 7 new · show newest ↓"`)
	if n := evaluate[int](t, ctx, logRows); n != 5 {
		t.Errorf("while paused %d rows are listed", n)
	}
	do(t, ctx, chromedp.Click(".log-newest"))
	until(t, ctx, "they are shown", logRows+` === 12 && document.querySelector(".log-pause").getAttribute("aria-pressed") === "false"`)
	do(t, ctx, chromedp.Evaluate[chromedp.Void](`URL.createObjectURL = (blob) => { blob.text().then((text) => { window.saved = text; }); return "data:,"; }; void 0`))
	for _, kind := range []string{"NDJSON", "CSV"} {
		do(t, ctx, chromedp.Evaluate[chromedp.Void](fmt.Sprintf(`window.saved = undefined; [...document.querySelectorAll(".log-toolbar button")].find(({ textContent }) => textContent === %q).click(); void 0`, kind)))
		until(t, ctx, "the file is saved", `window.saved !== undefined`)
		if lines := strings.Count(evaluate[string](t, ctx, `window.saved`), "\n"); lines != map[string]int{"NDJSON": 12, "CSV": 13}[kind] {
			t.Errorf("%s has %d lines", kind, lines)
		}
	}
	testkit.NoConsoleErrors(t, ctx)
}

func TestTheLogShowsWhereRepliesAreMissingAndWhichAreLate(t *testing.T) {
	t.Parallel()
	ctx := testkit.Browser(t)
	o := startObservatory(t)
	proxy := startFaultProxy(t, o.addr)
	p := o.publisher(t)
	openHash(t, ctx, proxy.addr, "#/log?q=nothing", sizes[0])
	p.next()
	o.DropConnections()
	until(t, ctx, "a gap is listed whatever is looked for", `/may be missing here/.test(document.querySelector(".row.gap:not([hidden]) .body")?.textContent)`)
	screenshot(t, ctx, "log-gap")
	do(t, ctx, chromedp.Evaluate[chromedp.Void](`location.hash = "#/log"; void 0`))

	p = o.publisher(t)
	p.n = 1
	stop := p.run()
	until(t, ctx, "replies arrive", logRows+` > 10`)
	do(t, ctx, chromedp.Evaluate[chromedp.Void](noteLoss))
	_, release := proxy.stall()
	t.Cleanup(release)
	proxy.cut()
	until(t, ctx, "the connection is lost", `window.lost`)
	stop()
	for range 3 { // while the page is away
		p.next()
	}
	release()
	until(t, ctx, "missed replies arrive, and are marked", `document.querySelector(".row[data-late]:not([hidden])") !== null`)
	until(t, ctx, "the last reply arrived", logNumbers+fmt.Sprintf(`.at(-1) === %d`, p.n))
	testkit.NoErrorsButOfTheNetwork(t, ctx)
}
