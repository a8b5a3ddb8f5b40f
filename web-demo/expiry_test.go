package webdemo_test

import (
	"testing"

	"github.com/chromedp/chromedp"

	"github.com/clu-ws/clu-ws/internal/testkit"
)

// pageWithACommand sends a command that expires after a second, and records the codes of its replies.
const pageWithACommand = `(async () => {
	const { Clu } = await import("/clu.js");
	const clu = new Clu(".");
	const record = window.record = { codes: [] };
	record.send = () => {
		record.codes = [];
		record.outcome = null;
		record.command = clu.send("test", "ping", { expires: 1_000, onReply: ({ code }) => record.codes.push(code) });
		record.sentAt = performance.now();
		record.command.then(() => { record.outcome = "done"; }, ({ state, code }) => { record.outcome = state + " " + code; });
	};
	await clu.connect();
	record.send();
})(); void 0`

// doneInTime sends the command again if it took a second to the bridge, and so was not sent on.
const doneInTime = `window.record?.outcome === "done" || (window.record?.outcome === "rejected expired" && (record.send(), false))`

func TestACommandThatTheNetworkDelaysBeyondItsExpiryIsNotSent(t *testing.T) {
	t.Parallel()
	python := testkit.CLU(t)
	ctx := testkit.Browser(t)
	o := startObservatory(t)
	proxy := startFaultProxy(t, o.addr)
	python.StartActor(t, o.url, "test")
	openPage(t, ctx, proxy.addr)
	do(t, ctx, chromedp.Evaluate[chromedp.Void](pageWithACommand))
	until(t, ctx, "a command is done", doneInTime)

	caught, release := proxy.stall()
	t.Cleanup(release)
	do(t, ctx, chromedp.Evaluate[chromedp.Void](`record.send()`))
	testkit.Await(t, caught)
	until(t, ctx, "it has expired", `performance.now() - record.sentAt > 1_000`)
	if state := evaluate[string](t, ctx, `record.command.state`); state != "sent" {
		t.Errorf("while it is delayed it is %s", state)
	}
	release()
	until(t, ctx, "it was not sent", `record.outcome === "rejected expired"`)
	do(t, ctx, chromedp.Evaluate[chromedp.Void](`void (record.delayed = record.command, record.send())`))
	until(t, ctx, "the next one is done", doneInTime)
	if n := evaluate[int](t, ctx, `record.delayed.replyCount`); n != 0 {
		t.Errorf("the actor executed it: %d replies arrived", n)
	}
	testkit.NoConsoleErrors(t, ctx)
}
