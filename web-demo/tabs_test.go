package webdemo_test

import (
	"fmt"
	"testing"

	"github.com/chromedp/chromedp"

	"github.com/clu-ws/clu-ws/internal/testkit"
)

// twoTabs is two clients in one page, in place of two pages of one program: both count the ids of their commands from 1.
const twoTabs = `(async () => {
	const { Clu } = await import("/clu.js");
	const record = window.record = {};
	window.tab = (name) => {
		const clu = new Clu(".");
		const tab = record[name] = { clu, last: 0 };
		tab.send = (words) => {
			const command = clu.send("test", words, { commandId: String(++tab.last) });
			tab.outcome = null;
			command.then(() => { tab.outcome = "done"; }, ({ state, code }) => { tab.outcome = state + " " + code; });
			return command;
		};
		return clu.connect();
	};
	await Promise.all([tab("a"), tab("b")]);
	record.ready = true;
})(); void 0`

func TestTwoTabsThatCountIDsFromOneDoNotEndEachOthersCommands(t *testing.T) {
	t.Parallel()
	python := testkit.CLU(t)
	ctx := testkit.Browser(t)
	o := startObservatory(t)
	python.StartActor(t, o.url, "test")
	openPage(t, ctx, o.addr)
	run := func(script string) {
		t.Helper()
		do(t, ctx, chromedp.Evaluate[chromedp.Void](fmt.Sprintf("%s; void 0", script)))
	}
	run(twoTabs)
	until(t, ctx, "both are connected", `window.record?.ready`)

	run(`record.long = record.a.send("slow 60")`)
	until(t, ctx, "the command of one tab runs", `record.long.state === "running"`)
	run(`record.b.send("status")`)
	until(t, ctx, "the other tab may not use its id", `record.b.outcome === "rejected in_use"`)
	run(`record.b.send("status")`)
	until(t, ctx, "its next id is free", `record.b.outcome === "done"`)
	if state := evaluate[string](t, ctx, `record.long.state`); state != "running" {
		t.Errorf("the long command is %s", state)
	}

	// A reloaded page counts from 1 again.
	run(`record.b.clu.close(); record.a.clu.close(); tab("c").then(() => { record.c.send("status"); })`)
	until(t, ctx, "the id of a running command stays taken", `record.c?.outcome === "rejected in_use"`)
	run(`record.c.send("status")`)
	until(t, ctx, "the id of a command that has ended is free", `record.c.outcome === "done"`)
	testkit.NoConsoleErrors(t, ctx)
}
