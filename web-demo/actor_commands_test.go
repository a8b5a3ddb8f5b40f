package webdemo_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/chromedp/chromedp"

	"github.com/clu-ws/clu-ws/internal/testkit"
)

// listedCommand is an expression for an item of the list of commands, by its line.
func listedCommand(line string) string {
	return fmt.Sprintf(`[...document.querySelectorAll("#commands > li")].find((li) => li.querySelector(".line").textContent === %q)`, line)
}

// Fault 8: running commands vanished on reload, and were absent in a second tab.
func TestARunningCommandIsThereAfterAReloadAndInASecondTab(t *testing.T) {
	t.Parallel()
	for _, size := range sizes {
		name := size.name
		t.Run(name, func(t *testing.T) {
			ctx := testkit.Browser(t)
			o := startObservatory(t)
			dome := startSimulated(t, o.url)
			openAt(t, ctx, o.addr, size)
			do(t, ctx, chromedp.SendKeys("#command-input", "dome slow\r"))
			nextRun(t, ctx, dome.ran)
			item := listedCommand("dome slow")
			until(t, ctx, "the command runs", item+`?.dataset.state === "running"`)

			second, cancel := chromedp.NewContext(ctx)
			defer cancel()
			tabs := map[string]context.Context{"reloaded": ctx, "second": second}
			for tab, ctx := range tabs {
				openAt(t, ctx, o.addr, size)
				until(t, ctx, tab+": it says that a command runs", `document.querySelector("#commands-toggle").dataset.running === "1"`)
				do(t, ctx, chromedp.Evaluate[chromedp.Void](`document.querySelector("#commands-toggle").click()`))
				until(t, ctx, tab+": it is listed", item+`?.dataset.state === "running" && `+item+`.dataset.own === "false"`)
				until(t, ctx, tab+": its time goes on", `parseFloat(`+item+`.querySelector(".elapsed").textContent) > 0`)
			}
			close(dome.finish)
			for tab, ctx := range tabs {
				until(t, ctx, tab+": it has ended", item+`.dataset.state === "done" && document.querySelector("#commands-toggle").dataset.running === "0"`)
				do(t, ctx, chromedp.Evaluate[chromedp.Void](item+`.querySelector(".summary").click()`))
				until(t, ctx, tab+": its answers are there, from the log", `[...`+item+`.querySelectorAll(".answers .body")].map((body) => body.textContent).join("|") === '|{"step":"half the way"}|{"step":"there"}'`)
				screenshot(t, ctx, "commands-"+name+"-"+tab)
			}
			testkit.NoConsoleErrors(t, ctx)
		})
	}
}
