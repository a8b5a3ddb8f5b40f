package webdemo_test

import (
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	"github.com/clu-ws/clu-ws/internal/testkit"
)

// An expression that backtracks for ever comes with a link, or is typed: the page goes on.
func TestAnExpressionThatWouldTakeForEverStopsNothing(t *testing.T) {
	t.Parallel()
	ctx := testkit.Browser(t)
	o := startObservatory(t)
	p := o.publisher(t)
	p.text("dome", "i", "here")
	p.text("dome", "i", strings.Repeat("a", 20_000))
	for _, q := range []string{"here%20/(a%2B)%2B!/", "/a*a*a*a*!/"} {
		do(t, ctx, chromedp.Navigate("about:blank"), chromedp.Navigate("http://"+o.addr+"/#/log?q="+q))
		until(t, ctx, q+": it is refused, and hides nothing", `document.querySelector(".log-error")?.textContent.startsWith("/") && document.querySelector(".log-count").textContent === "2 listed"`)
	}
	do(t, ctx, chromedp.Evaluate[chromedp.Void](`document.querySelector("#log-text").select()`), chromedp.SendKeys("#log-text", "here"))
	until(t, ctx, "other words are looked for", `document.querySelector(".log-error").textContent === "" && document.querySelector(".log-count").textContent === "filtered: 1 listed"`)
	testkit.NoConsoleErrors(t, ctx)
}
