package webdemo_test

import (
	"testing"

	"github.com/chromedp/chromedp"

	"github.com/clu-ws/clu-ws/bridge"
	"github.com/clu-ws/clu-ws/bridge/site"
	"github.com/clu-ws/clu-ws/internal/testkit"
)

func TestABoardOfTheSiteIsShownAndChangedAsACopyInTheURL(t *testing.T) {
	t.Parallel()
	ctx := testkit.Browser(t)
	high := 5.0
	o := startConfigured(t, func(cfg *bridge.Config) {
		cfg.Site = &site.Config{
			Keywords: map[string]site.Keyword{"dome.n": {Unit: "steps", High: &high}},
			Boards: site.Boards{List: []site.Board{{Name: "night", Title: "The night", Items: []site.Item{
				{Plot: []string{"dome.n"}, Range: "1h"}, {Keywords: []string{"dome.n", "roof.n"}}, {Actor: "weather"}, {Log: "even"},
			}}}},
		}
	})
	p := o.publisher(t)
	openPage(t, ctx, o.addr)
	for range 9 {
		p.next()
	}
	goTo(t, ctx, "#/board", `document.querySelector('.boards a[href="#/board/night"]')?.textContent === "The night"`)
	for _, size := range sizes {
		do(t, ctx, chromedp.EmulateViewport(size.width, size.height))
		goTo(t, ctx, "#/board/night", `document.querySelectorAll(".board .item").length === 4`)
		until(t, ctx, size.name+": values have units, and are marked beyond their limits", `document.querySelector('[data-item="keywords"] [data-keyword="dome.n"][data-limit="warn"] .value')?.textContent === "▲ 7 steps"`)
		until(t, ctx, size.name+": an actor's are all there", `document.querySelector('[data-item="actor"] [data-keyword="weather.n"] .value')?.textContent === "9"`)
		until(t, ctx, size.name+": the log and the plot, too", `document.querySelector('[data-item="log"] .rows .row') !== null && document.querySelector('[data-item="plot"] .item-body').childElementCount > 0`)
		screenshot(t, ctx, "board-"+size.name)
	}
	p.publish("weather", "i", false, []byte(`{"n": 10}`))
	until(t, ctx, "it stays current", `document.querySelector('[data-item="actor"] [data-keyword="weather.n"] .value')?.textContent === "10"`)

	do(t, ctx, chromedp.Evaluate[chromedp.Void](`[...document.querySelectorAll(".board button")].find(({ textContent }) => textContent === "Change a copy").click(); void 0`))
	until(t, ctx, "a copy is in the URL", `location.hash.startsWith("#/board?title=The") && location.hash.includes("plot=dome.n~1h") && document.querySelectorAll(".board .item").length === 4`)
	do(t, ctx, chromedp.Click(`[data-item="plot"] > header button`))
	until(t, ctx, "an item is removed", `document.querySelectorAll(".board .item").length === 3 && !location.hash.includes("plot=")`)
	do(t, ctx, chromedp.Evaluate[chromedp.Void](`document.querySelector("#item-kind").value = "actor"; void 0`), chromedp.SendKeys("#item-text", "roof\r"))
	until(t, ctx, "one is added", `document.querySelectorAll(".board .item").length === 4 && location.hash.includes("actor=roof")`)
	do(t, ctx, chromedp.Reload(), chromedp.WaitReady(`#link-state[data-state="open"]`))
	until(t, ctx, "it is there after a reload", `document.querySelectorAll(".board .item").length === 4`)
	testkit.NoConsoleErrors(t, ctx)
}

func TestALogOnABoardSaysWhyItsWordsAreNotUnderstood(t *testing.T) {
	t.Parallel()
	ctx := testkit.Browser(t)
	o := startObservatory(t)
	p := o.publisher(t)
	p.text("dome", "i", "here")
	openPage(t, ctx, o.addr)
	goTo(t, ctx, "#/board?log=/(/&log=here", `document.querySelectorAll('[data-item="log"]').length === 2`)
	until(t, ctx, "nothing is left out by mistake", `[...document.querySelectorAll('[data-item="log"]')].every((item) => item.querySelector(".row") !== null)`)
	until(t, ctx, "one says why its words hide nothing, the other has nothing to say",
		`[...document.querySelectorAll('[data-item="log"] .log-error')].map(({ textContent }) => textContent.split(":")[0]).join("|") === "/(/ is no regular expression|"`)
	testkit.Accessible(t, ctx, "a board with words that are not understood")
	testkit.NoConsoleErrors(t, ctx)
}

func TestAThousandActorsAreScrolledWithFewRowsInThePage(t *testing.T) {
	t.Parallel()
	ctx := testkit.Browser(t)
	o := startObservatory(t)
	p := o.publisher(t)
	for n := range 1_000 {
		p.publish("actor"+string(rune('a'+n%26))+string(rune('a'+n/26%26))+string(rune('a'+n/676)), "i", false, []byte(`{"n": 1}`))
	}
	openPage(t, ctx, o.addr)
	until(t, ctx, "all are known", `document.querySelector("#actors-count").textContent.startsWith("1000 actors")`)
	for _, size := range sizes {
		do(t, ctx, chromedp.EmulateViewport(size.width, size.height))
		for _, at := range []string{"0", "1e9", "4000"} {
			do(t, ctx, chromedp.Evaluate[chromedp.Void](`document.querySelector("#view").scrollTop = `+at+`; void 0`))
			until(t, ctx, size.name+": the rows in sight are there, and few others", `(() => {
				const view = document.querySelector("#view").getBoundingClientRect();
				const rows = [...document.querySelectorAll("#actors > li")].map((row) => row.getBoundingClientRect());
				return rows.length < 150 && rows.some(({ top }) => top < view.bottom && top > view.bottom - 60) && rows.some(({ top }) => top <= view.top + 60);
			})()`)
		}
	}
	do(t, ctx, chromedp.SendKeys("#search", "actorzz"))
	until(t, ctx, "the search finds one", `[...document.querySelectorAll("#actors > li")].every(({ dataset }) => dataset.actor.startsWith("actorzz")) && document.querySelector("#actors-count").textContent.includes(" of 1000")`)
	testkit.NoConsoleErrors(t, ctx)
}
