package webdemo_test

import (
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"github.com/clu-ws/clu-ws/actor"
	"github.com/clu-ws/clu-ws/internal/testkit"
)

func TestFormsAnswersAndCompletionsAreAccessible(t *testing.T) {
	t.Parallel()
	ctx := testkit.Browser(t)
	o := startObservatory(t)
	dome := startSimulated(t, o.url)
	dome.Broadcast("i", actor.Keywords{"humidity": 40.5, "axis": map[string]any{"alt": 1, "rates": []int{1, 2}}, "lost": nil, "dome_status": "0x10", "dome_status_labels": "MOVING"})
	for _, size := range sizes {
		openActor(t, ctx, o.addr, "dome", size)
		do(t, ctx, chromedp.WaitReady(`.form-commands [data-command="open"]`), chromedp.WaitReady(".tree-root"), chromedp.Evaluate[chromedp.Void](`
			document.querySelector(".tree-root").open = true;
			document.querySelector('.form-commands [data-command="keyword"] button').click();`))
		do(t, ctx, chromedp.SendKeys("#command-input", "dome open\r"))
		until(t, ctx, size.name+": the command is done", `document.querySelector('#commands > li[data-own="true"][data-state="done"]') !== null`)
		do(t, ctx, chromedp.Evaluate[chromedp.Void](`document.querySelector("#commands .summary").click()`), chromedp.SendKeys("#command-input", "dome "))
		key(t, ctx, kb.ArrowDown)
		until(t, ctx, size.name+": completions are offered", `document.querySelector('#command-hints [aria-selected="true"]') !== null`)
		for _, theme := range themes {
			setTheme(t, ctx, theme)
			testkit.Accessible(t, ctx, "actor, "+size.name+", "+theme)
			screenshot(t, ctx, "actor-"+size.name+"-"+theme)
		}
	}
	testkit.NoConsoleErrors(t, ctx)
}
