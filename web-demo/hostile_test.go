package webdemo_test

import (
	"fmt"
	"net/url"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	"github.com/clu-ws/clu-ws/internal/testkit"
)

// hostileNames are names of actors and keywords that mean something to HTML, selectors, URLs, spreadsheets or JavaScript.
var hostileNames = []string{
	"constructor", "__proto__", "hasOwnProperty", "toString", `<img src=x onerror="window.owned=1">`, `"]`, `a/b?c#d&e=f`, "100%", "a.b", "=1+1", "été",
	"../..", "${x}", "javascript:alert(1)", "li:nth-child(1)", `\`, "a,b",
}

func TestNamesThatMeanSomethingToTheBrowserAreNames(t *testing.T) {
	t.Parallel()
	ctx := testkit.Browser(t)
	o := startObservatory(t)
	p := o.publisher(t)
	say := func(n int) {
		for _, name := range hostileNames {
			body := map[string]any{"text": "<script>window.owned=1</script>"}
			for _, keyword := range hostileNames {
				body[keyword] = n
			}
			p.publish(name, "w", false, jsonOf(t, body))
		}
	}
	say(1)
	openPage(t, ctx, o.addr)
	seen := fmt.Sprintf(`document.querySelectorAll("#actors [data-actor]").length === %d`, len(hostileNames))
	until(t, ctx, "each actor has a row", seen)
	until(t, ctx, "each row has its values", `[...document.querySelectorAll("#actors [data-actor]")].every((row) => row.querySelector(".pin[data-keyword] .value").textContent.startsWith("1"))`)
	for _, name := range hostileNames {
		do(t, ctx, chromedp.Evaluate[chromedp.Void](fmt.Sprintf(`location.hash = "#/actor/" + encodeURIComponent(%q)`, name)))
		until(t, ctx, name+" has its keywords", fmt.Sprintf(`document.querySelector("#actor")?.dataset.actor === %q && document.querySelectorAll("#actor [data-keyword]").length === %d`, name, len(hostileNames)))
		say(1)
	}
	views := []string{"#/log", "#/plot?s=" + url.QueryEscape(strings.Join([]string{"constructor.constructor", "__proto__.__proto__", "a/b?c#d&e=f.=1+1"}, ",")), "#/board?actor=constructor&keywords=__proto__.constructor&log=x"}
	for _, view := range views {
		do(t, ctx, chromedp.Evaluate[chromedp.Void](fmt.Sprintf(`location.hash = %q`, view)))
		until(t, ctx, view+" is shown", `document.querySelector("#view .view")?.textContent.includes("constructor") || document.querySelectorAll(".rows .row").length > 5`)
		say(2)
	}
	do(t, ctx, chromedp.Evaluate[chromedp.Void](`document.querySelector("#worst").click()`))
	until(t, ctx, "the drawer lists the problems", fmt.Sprintf(`[...document.querySelectorAll("#drawer [data-problem]")].filter(({ textContent }) => textContent.includes("owned")).length === %d`, len(hostileNames)))
	if evaluate[bool](t, ctx, `window.owned !== undefined || document.querySelector("#view img, #drawer img, #view script") !== null`) {
		t.Error("a name became markup")
	}
	testkit.NoConsoleErrors(t, ctx)
}
