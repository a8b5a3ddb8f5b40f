package webdemo_test

import (
	"testing"

	"github.com/chromedp/chromedp"

	"github.com/clu-ws/clu-ws/internal/testkit"
)

// watchWrites notes what the page writes although it is there already, with how often it does so. The browser takes an
// attribute that is set to what it is for a change: it looks for the styles that depend on it, and draws the page again. What is
// written because something has happened is left out: what counts is what is written all the time.
const watchWrites = `window.wasted = {}; window.ticks = 0; window.often = new Map(); window.writes?.disconnect(); window.writes = new MutationObserver((records) => {
	for (const { type, target, attributeName, oldValue, addedNodes, removedNodes } of records) {
		const same = type === "attributes" ? oldValue === target.getAttribute(attributeName)
			: type === "characterData" ? oldValue === target.data
			: addedNodes.length === 1 && removedNodes.length === 1 && addedNodes[0].nodeType === 3 && addedNodes[0].data === removedNodes[0].data;
		if (same) {
			const of = often.get(target) ?? {}, what = attributeName ?? type;
			often.set(target, of);
			of[what] = (of[what] ?? 0) + 1;
			if (of[what] >= 3) wasted[[target.parentElement?.className, target.nodeName, target.className, target.id, what].join(" ")] = of[what];
		}
		if (document.querySelector("#clock").contains(target)) ticks += 1;
	}
}); writes.observe(document, {subtree: true, childList: true, characterData: true, characterDataOldValue: true, attributes: true, attributeOldValue: true}); void 0`

func TestThePageWritesOnlyWhatHasChanged(t *testing.T) {
	t.Parallel()
	ctx := testkit.Browser(t)
	o := startObservatory(t)
	s := o.replyStorm(t)
	s.all()
	storm(o.publisher(t))
	openPage(t, ctx, o.addr)
	until(t, ctx, "the problems are known", `document.querySelector("#worst").dataset.count === "4"`)
	s.run(stormActors)
	for _, view := range []struct{ hash, there string }{
		{"#/", `document.querySelector("#actors .value") !== null`},
		{"#/actor/a00", `document.querySelector("#actor .keyword .age") !== null`},
		{"#/log", `document.querySelectorAll(".rows .row:not([hidden])").length > 20`},
		{"#/board?keywords=a00.k0,a01.k0&actor=a00&log=k0", `document.querySelector("[data-item=keywords] .age") !== null`},
	} {
		goTo(t, ctx, view.hash, view.there)
		do(t, ctx, chromedp.Evaluate[chromedp.Void](`document.querySelector("#drawer").hidden && document.querySelector("#worst").click(); void 0`))
		until(t, ctx, "the problems are listed", `document.querySelectorAll("#drawer [data-problem]").length === 4`)
		do(t, ctx, chromedp.Evaluate[chromedp.Void](watchWrites))
		until(t, ctx, view.hash+" has written its ages", `ticks >= 4`)
		if wasted := evaluate[map[string]int](t, ctx, `wasted`); len(wasted) > 0 {
			t.Errorf("%s has written what was there: %v", view.hash, wasted)
		}
	}
	testkit.NoConsoleErrors(t, ctx)
}
