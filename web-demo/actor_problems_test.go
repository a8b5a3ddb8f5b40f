package webdemo_test

import (
	"testing"

	"github.com/chromedp/chromedp"

	"github.com/clu-ws/clu-ws/internal/testkit"
)

// Fault 9: alarms stayed red after somebody had seen to them.
func TestAProblemIsAcknowledgedInTheViewOfItsActor(t *testing.T) {
	t.Parallel()
	ctx := testkit.Browser(t)
	o := startObservatory(t)
	p := o.publisher(t)
	problems := `[...document.querySelectorAll("#actor .actor-problem")].map(({ dataset, children }) => dataset.level + " " + children[1].textContent + " " + dataset.acked).join("; ")`
	for _, size := range sizes {
		// A text that was acknowledged is no problem again for a while, so each size has its own.
		leak, disk := "coolant leak, seen on the "+size.name, "disk full, seen on the "+size.name
		p.text("camera", "!", leak)
		p.text("camera", "w", disk)
		openActor(t, ctx, o.addr, "camera", size)
		until(t, ctx, size.name+": the worse comes first", problems+`.startsWith("critical `+leak+` false; warn `+disk+`")`)
		until(t, ctx, size.name+": the actor has the worst level", `document.querySelector("#actor").dataset.level === "critical"`)
		do(t, ctx, chromedp.Evaluate[chromedp.Void](`document.querySelector("#actor .actor-problem .ack").focus(); void 0`))
		key(t, ctx, "\r")
		until(t, ctx, size.name+": it is acknowledged", problems+`.includes("critical `+leak+` true")`)
		until(t, ctx, size.name+": and the lesser one is not hidden", `document.querySelector("#actor").dataset.level === "warn"`)
		do(t, ctx, chromedp.Evaluate[chromedp.Void](`[...document.querySelectorAll("#actor .actor-problem .ack")].find(({ hidden }) => !hidden).click()`))
		until(t, ctx, size.name+": nothing is left", `document.querySelector("#actor").dataset.level === "ok" && document.querySelector("#worst").dataset.count === "0"`)
		screenshot(t, ctx, "actor-acknowledged-"+size.name)
	}
	testkit.NoConsoleErrors(t, ctx)
}
