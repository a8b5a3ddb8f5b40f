package webdemo_test

import (
	"testing"

	"github.com/chromedp/chromedp"

	"github.com/clu-ws/clu-ws/internal/testkit"
)

func TestTheConsoleWorksWithCLUsOwnServerAndSaysWhatIsMissing(t *testing.T) {
	t.Parallel()
	python := testkit.CLU(t)
	ctx := testkit.Browser(t)
	o := startObservatory(t) // for its broker
	port := testkit.FreePort(t)
	python.StartWebSocketServer(t, port, o.url)
	python.StartActor(t, o.url, "test")
	p := o.publisher(t)

	openPage(t, ctx, serveBefore(t, port))
	until(t, ctx, "it says which server it is", `document.querySelector("#link-state").textContent.includes("CLU's own server") && document.querySelector("#lag").textContent === "lag ?"`)
	until(t, ctx, "it says what is missing", `document.querySelector("#menu").dataset.missing === "" && /history/.test(document.querySelector("#missing").textContent) && /the state of the broker is not known/.test(document.querySelector("#missing").textContent) && document.querySelector("#broker-state").title !== ""`)
	p.next()
	until(t, ctx, "replies arrive", `document.querySelector('#actors [data-actor="dome"] [data-keyword="n"] .value')?.textContent === "1"`)
	p.text("dome", "w", "The shutter is slow.")
	until(t, ctx, "the page finds problems itself", `document.querySelector("#worst").dataset.count === "1" && document.querySelector('#actors [data-actor="dome"]').dataset.level === "warn"`)
	do(t, ctx, chromedp.Click("#worst"), chromedp.WaitVisible(`#drawer .ack`), chromedp.Click("#drawer .ack"))
	until(t, ctx, "and acknowledges them for itself", `document.querySelector("#worst").dataset.count === "0"`)
	do(t, ctx, chromedp.Click("#drawer-close"), chromedp.SendKeys("#command-input", "test ping\r"))
	until(t, ctx, "a command is done", `document.querySelector('#commands [data-consumer="test"]')?.dataset.state === "done"`)
	for _, view := range []struct{ hash, there string }{
		{"#/actor/dome", `document.querySelector('#actor [data-keyword="n"] .value') !== null`},
		{"#/plot?s=dome.n&r=15m", `document.querySelector('.plot-legend tr[data-keyword="dome.n"]') !== null`},
		{"#/log", `document.querySelector(".rows .row") !== null`},
		{"#/board?keywords=dome.n", `document.querySelector('.board [data-keyword="dome.n"] .value')?.textContent === "1"`},
		{"#/board", `document.querySelector("#view").textContent.includes("CLU's own server has no boards")`},
		{"#/board/night", `document.querySelector("#view").textContent.includes('This site has no board "night".')`},
	} {
		goTo(t, ctx, view.hash, view.there)
	}
	screenshot(t, ctx, "console-clu")
	testkit.NoConsoleErrors(t, ctx)
}
