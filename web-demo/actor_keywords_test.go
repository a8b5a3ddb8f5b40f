package webdemo_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"github.com/clu-ws/clu-ws/actor"
	"github.com/clu-ws/clu-ws/bridge"
	"github.com/clu-ws/clu-ws/bridge/site"
	"github.com/clu-ws/clu-ws/internal/testkit"
)

// keywordsShown is an expression for the names of the rows.
const keywordsShown = `[...document.querySelectorAll("#actor .keyword")].map(({ dataset }) => dataset.keyword)`

// row is an expression for the text of a part of a keyword's row.
func row(keyword, part string) string {
	return fmt.Sprintf(`document.querySelector('#actor [data-keyword="%s"] %s')?.textContent`, keyword, part)
}

// Fault 12: what an actor says of itself became rows, and NaN looked like null.
func TestMessagesAreNoRowsAndNaNIsNotNull(t *testing.T) {
	t.Parallel()
	ctx := testkit.Browser(t)
	o := startConfigured(t, func(cfg *bridge.Config) { cfg.Envelope.NaN = actor.NaNString })
	p := o.publisher(t)
	p.publish("dome", "i", false, []byte(`{"schema": "{}", "command_model": {"name": "x"}, "help": ["Usage"], "text": "hello", "error": "no", "traceback": "line 1", "humidity": 40.5, "lost": null, "wind": NaN, "gust": -Infinity}`))
	for _, size := range sizes {
		name := size.name
		openActor(t, ctx, o.addr, "dome", size)
		until(t, ctx, name+": the rows", keywordsShown+`.join() === "gust,humidity,lost,wind"`)
		until(t, ctx, name+": NaN is marked", row("wind", ".value")+`.includes("NaN: not a number") && document.querySelector('[data-keyword="wind"] .value').dataset.kind === "nan"`)
		until(t, ctx, name+": and so is Infinity", row("gust", ".value")+`.includes("-Infinity: not a number")`)
		until(t, ctx, name+": null is null", row("lost", ".value")+` === "null" && document.querySelector('[data-keyword="lost"] .value').dataset.kind === "null"`)
		screenshot(t, ctx, "nan-"+name)
	}
	testkit.NoConsoleErrors(t, ctx)
}

func TestTheActorViewShowsUnitsLimitsAndStatusWords(t *testing.T) {
	t.Parallel()
	ctx := testkit.Browser(t)
	low, high, critical := 10.0, 80.0, 90.0
	o := startConfigured(t, func(cfg *bridge.Config) {
		cfg.Site = &site.Config{Title: "Test", Keywords: map[string]site.Keyword{
			"dome.humidity": {Unit: "%", Description: "Inside the dome", Low: &low, High: &high, HighCritical: &critical},
			"dome.axis.alt": {Unit: "deg", High: &high},
		}}
	})
	p := o.publisher(t)
	say := func(body string) { p.publish("dome", "i", false, []byte(body)) }
	say(`{"humidity": 85, "dome_status": "0x11", "dome_status_labels": "MOVING, POSITION_UNKNOWN", "axis": {"alt": 81, "az": 12.5, "rates": [1, 2]}, "a": 1}`)
	for _, size := range sizes {
		name := size.name
		openActor(t, ctx, o.addr, "dome", size)
		until(t, ctx, name+": labels have no row of their own", keywordsShown+`.join() === "a,axis,dome_status,humidity"`)
		until(t, ctx, name+": unit and description", row("humidity", ".unit")+` === "%" && `+row("humidity", ".description")+` === "Inside the dome"`)
		say(`{"humidity": 85}`)
		until(t, ctx, name+": out of limits is told in words and by a shape", row("humidity", ".limit")+` === "▲ above 80" && document.querySelector('[data-keyword="humidity"]').dataset.limit === "warn"`)
		say(`{"humidity": 95}`)
		until(t, ctx, name+": critical", row("humidity", ".limit")+` === "✖ above 90" && document.querySelector('[data-keyword="humidity"]').dataset.limit === "critical"`)
		until(t, ctx, name+": the bits have names", row("dome_status", ".bits")+` === "MOVING (bit 0) · POSITION_UNKNOWN (bit 4)"`)
		do(t, ctx, chromedp.Evaluate[chromedp.Void](`document.querySelector('[data-keyword="axis"] details').open = true; void 0`))
		until(t, ctx, name+": a member has its unit and limits", row("axis", `[data-path="dome.axis.alt"] .unit`)+` === "deg" && `+row("axis", `[data-path="dome.axis.alt"] .limit`)+` === "▲ above 80"`)
		say(`{"axis": {"alt": 50, "az": 13, "rates": [1, 2]}}`)
		until(t, ctx, name+": what is open stays open, and changes", row("axis", `[data-path="dome.axis.az"] .value`)+` === "13" && document.querySelector('[data-keyword="axis"] details').open`)
		do(t, ctx, chromedp.Evaluate[chromedp.Void](`(() => { const sort = document.querySelector(".keyword-sort"); sort.value = "limits"; sort.dispatchEvent(new Event("change")); })()`))
		until(t, ctx, name+": the worst comes first, and the URL says so", keywordsShown+`[0] === "humidity" && location.hash.includes("sort=limits")`)
		say(`{"humidity": 85, "axis": {"alt": 81, "az": 12.5, "rates": [1, 2]}}`)
		do(t, ctx, chromedp.Evaluate[chromedp.Void](`document.querySelector("#view").focus(); document.activeElement.dispatchEvent(new KeyboardEvent("keydown", { key: "/", bubbles: true, cancelable: true })); void 0`), chromedp.KeyEvent("hum"))
		until(t, ctx, name+": / filters", keywordsShown+`.join() === "humidity"`)
		key(t, ctx, kb.Escape)
		until(t, ctx, name+": and Escape keeps the filter", `document.querySelector(".keyword-filter").value === "hum" && document.activeElement !== document.querySelector(".keyword-filter")`)
		screenshot(t, ctx, "limits-"+name)
	}
	testkit.NoConsoleErrors(t, ctx)
}

func TestAThousandKeywordsAreDrawnWhereTheyAreInSight(t *testing.T) {
	t.Parallel()
	ctx := testkit.Browser(t)
	o := startObservatory(t)
	p := o.publisher(t)
	body := map[string]any{}
	for n := range 1000 {
		body[fmt.Sprintf("keyword_%04d", n)] = n
	}
	text, err := json.Marshal(body)
	if err != nil {
		t.Fatal(err)
	}
	p.publish("dome", "i", false, text)
	openActor(t, ctx, o.addr, "dome", sizes[0])
	until(t, ctx, "the first are drawn", row("keyword_0000", ".value")+` === "0"`)
	if n := evaluate[int](t, ctx, `document.querySelectorAll("#actor .keyword").length`); n != 1000 {
		t.Errorf("there are %d rows", n)
	}
	drawn := evaluate[int](t, ctx, `[...document.querySelectorAll("#actor .keyword .age")].filter((age) => age.textContent !== "").length`)
	if drawn > 100 {
		t.Errorf("%d rows are drawn, of those that are in sight", drawn)
	}
	p.publish("dome", "i", false, []byte(strings.Replace(string(text), `"keyword_0999":999`, `"keyword_0999":-1`, 1)))
	do(t, ctx, chromedp.Evaluate[chromedp.Void](`document.querySelector('[data-keyword="keyword_0999"]').scrollIntoView()`))
	until(t, ctx, "the last has its newest value when it comes into sight", row("keyword_0999", ".value")+` === "-1"`)
	testkit.NoConsoleErrors(t, ctx)
}

func TestATreeIsReadAPartAtATimeAndItsPathsAreCopied(t *testing.T) {
	t.Parallel()
	ctx := testkit.Browser(t)
	o := startObservatory(t)
	p := o.publisher(t)
	p.publish("dome", "i", false, jsonOf(t, map[string]any{"list": slices.Repeat([]int{7}, 250), "deep": map[string]any{"a": map[string]any{"b": 1}}}))
	openActor(t, ctx, o.addr, "dome", sizes[0])
	until(t, ctx, "the rows", keywordsShown+`.join() === "deep,list" && document.querySelectorAll("#actor .tree-root").length === 2`)
	do(t, ctx, chromedp.Evaluate[chromedp.Void](`document.querySelectorAll("#actor .tree-root").forEach((details) => { details.open = true; }); void 0`))
	until(t, ctx, "a hundred items at first", `document.querySelectorAll('[data-keyword="list"] [data-path]').length === 100`)
	do(t, ctx, chromedp.Evaluate[chromedp.Void](`document.querySelector('[data-keyword="list"] .more').click()`))
	until(t, ctx, "a hundred more", `document.querySelectorAll('[data-keyword="list"] [data-path]').length === 200`)
	do(t, ctx, chromedp.Evaluate[chromedp.Void](`document.querySelector('[data-path="dome.deep.a"] details').open = true; void 0`))
	until(t, ctx, "a path is copied", `document.querySelector('[data-path="dome.deep.a.b"] .copy')?.getAttribute("aria-label") === "Copy dome.deep.a.b"`)
	if href := evaluate[string](t, ctx, `document.querySelector('[data-path="dome.deep.a.b"] .key').getAttribute("href")`); href != "#/plot?s=dome.deep.a.b" {
		t.Errorf("a click on the member leads to %s", href)
	}
	testkit.NoConsoleErrors(t, ctx)
}

func TestThePastOfAKeywordIsDrawnBesideIt(t *testing.T) {
	t.Parallel()
	ctx := testkit.Browser(t)
	o := startConfigured(t, func(cfg *bridge.Config) { cfg.KeywordHistory = 1 << 20 })
	p := o.publisher(t)
	heard := plainClient(t, o.addr)
	for n := range 5 {
		p.publish("dome", "i", false, fmt.Appendf(nil, `{"temperature": %d, "n": %d}`, n*n, n))
	}
	heard(4)
	openActor(t, ctx, o.addr, "dome", sizes[0])
	until(t, ctx, "what was before the page", `document.querySelector('[data-keyword="temperature"] .spark path')?.getAttribute("d")?.split("L").length === 5`)
	until(t, ctx, "in words, too", row("temperature", ".spoken")+` === "last 5 min: 0 to 16"`)
	until(t, ctx, "and the head of the table says the span", `[...document.querySelectorAll("#actor [role=columnheader]")][2].textContent === "Last 5 min"`)
	testkit.NoConsoleErrors(t, ctx)
}
