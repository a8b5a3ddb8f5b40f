package webdemo_test

import (
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"github.com/clu-ws/clu-ws/internal/testkit"
)

// aPageWithACommand sends one that may be on its way for a second, and counts its replies.
const aPageWithACommand = `(async () => {
	const { Clu } = await import("/clu.js");
	const clu = new Clu(".");
	const record = window.record = { codes: [] };
	record.send = () => {
		record.codes = [];
		record.said = null;
		record.command = clu.send("test", "ping", { expires: 1_000, onReply: ({ code }) => record.codes.push(code) });
		record.sentAt = performance.now();
		record.command.then(() => { record.said = "done"; }, ({ state, code }) => { record.said = state + " " + code; });
	};
	await clu.connect();
	record.send();
})(); void 0`

func TestACommandThatTheNetworkDelayedIsNotRun(t *testing.T) {
	python := testkit.CLU(t)
	ctx := testkit.Browser(t)
	o := startObservatory(t)
	proxy := startCutter(t, o.addr)
	python.StartActor(t, o.url, "test")
	openPage(t, ctx, proxy.addr)
	do(t, ctx, chromedp.Evaluate[chromedp.Void](aPageWithACommand))
	until(t, ctx, "a command is done", `window.record?.said === "done"`)

	caught, release := proxy.stall()
	t.Cleanup(release)
	do(t, ctx, chromedp.Evaluate[chromedp.Void](`record.send()`))
	select {
	case <-caught:
	case <-time.After(patience):
		t.Fatal("no command was sent")
	}
	until(t, ctx, "it has expired", `performance.now() - record.sentAt > 1_000`)
	if state := evaluate[string](t, ctx, `record.command.state`); state != "sent" {
		t.Errorf("while it is held up it is %s", state)
	}
	release()
	until(t, ctx, "it was not sent", `record.said === "rejected expired"`)
	do(t, ctx, chromedp.Evaluate[chromedp.Void](`void (record.late = record.command, record.send())`))
	until(t, ctx, "the next one is done", `record.said === "done"`)
	if n := evaluate[int](t, ctx, `record.late.replyCount`); n != 0 {
		t.Errorf("the actor ran it: %d replies came", n)
	}
	testkit.NoConsoleErrors(t, ctx)
}
