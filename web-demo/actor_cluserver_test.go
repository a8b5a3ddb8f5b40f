package webdemo_test

import (
	"testing"

	"github.com/chromedp/chromedp"

	"github.com/clu-ws/clu-ws/internal/testkit"
)

func TestTheActorViewWorksWithCLUsOwnServerAndSaysWhatIsMissing(t *testing.T) {
	t.Parallel()
	python := testkit.CLU(t)
	ctx := testkit.Browser(t)
	o := startObservatory(t) // for its broker
	port := testkit.FreePort(t)
	python.StartWebSocketServer(t, port, o.url)
	python.StartActor(t, o.url, "test")
	addr := serveBefore(t, port)
	for _, size := range sizes {
		openActor(t, ctx, addr, "test", size)
		until(t, ctx, size.name+": it says that the commands are not known, and why", `/^The commands of test are not known: .+ Write one by hand\.$/.test(document.querySelector(".model-state").textContent)`)
		do(t, ctx, chromedp.SendKeys(".form-line", "status\r"))
		until(t, ctx, size.name+": a command that is written by hand is sent", `document.querySelector('.actor-sent li[data-own="true"][data-state="done"]') !== null`)
		until(t, ctx, size.name+": and its keywords are shown", row("dome_status", ".value")+` === "0x10" && `+row("dome_status", ".bits")+` === "POSITION_UNKNOWN (bit 4)"`)
		do(t, ctx, chromedp.SendKeys("#command-input", "test slow 0.1\r"))
		until(t, ctx, size.name+": so is one of the command line", `document.querySelector('#commands > li[data-own="true"][data-state="done"] .line')?.textContent === "test slow 0.1"`)
		do(t, ctx, chromedp.SendKeys("#command-input", "test st"))
		until(t, ctx, size.name+": the commands of every actor are offered", `document.querySelector("#command-hints .text")?.textContent === "status"`)
		screenshot(t, ctx, "actor-cluserver-"+size.name)
	}
	testkit.NoConsoleErrors(t, ctx)
}
