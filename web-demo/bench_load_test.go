package webdemo_test

import (
	"context"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"

	"github.com/clu-ws/clu-ws/internal/testkit"
)

// whenInteractive notes how many ms after the navigation the document began (until then the browser was busy with itself),
// when the page could be used: its view was there, and its keys and buttons worked, and when it was connected and showed
// the values of actors, with what had been loaded by then.
const whenInteractive = `
	const began = performance.now();
	let usable = 0;
	const watch = () => {
		if (usable === 0 && document.querySelector("#view .view > *")) usable = performance.now();
		if (document.body?.dataset.link === "open" && document.querySelector("#actors .value")?.textContent) {
			const files = performance.getEntriesByType("resource").filter(({ responseEnd }) => responseEnd < performance.now());
			window.record = { began, usable, interactive: performance.now(), files: files.length + 1, bytes: files.reduce((sum, file) => sum + file.transferSize, performance.getEntriesByType("navigation")[0].transferSize) };
		} else {
			setTimeout(watch, 1);
		}
	};
	watch();`

// BenchmarkFirstLoad measures a first load, without a cache, on a CPU that is four times slower. It comes from another page
// of the bridge, so that starting a process for it is not measured. The CPU time of the page's thread, with the throttling, is what the load
// would take on a machine with nothing else to do.
func BenchmarkFirstLoad(b *testing.B) {
	ctx := testkit.Browser(b)
	o := startObservatory(b)
	s := o.replyStorm(b)
	s.all()
	do(b, ctx, chromedp.EmulateViewport(1400, 860), onNewDocument(whenInteractive), throttle(slowCPU), withoutCache())
	var all struct{ Began, Usable, Interactive, Files, Bytes float64 }
	n, layouts, cpu := 0.0, 0.0, time.Duration(0)
	for b.Loop() {
		do(b, ctx, chromedp.Navigate("http://"+o.addr+"/nothing"))
		thread := renderer(b).mainThread()
		before := thread.onCPU()
		do(b, ctx, chromedp.Navigate("http://"+o.addr+"/"))
		until(b, ctx, "the page is interactive", `window.record?.interactive > 0`)
		cpu += thread.onCPU() - before
		layouts += metrics(b, ctx)["LayoutCount"]
		one := evaluate[struct{ Began, Usable, Interactive, Files, Bytes float64 }](b, ctx, `record`)
		all.Began += one.Began
		all.Usable += one.Usable
		all.Interactive += one.Interactive
		all.Files, all.Bytes = max(all.Files, one.Files), max(all.Bytes, one.Bytes)
		n++
	}
	b.ReportMetric(all.Began/n, "ms/began")
	b.ReportMetric(all.Usable/n, "ms/usable")
	b.ReportMetric(all.Interactive/n, "ms/values")
	b.ReportMetric(cpu.Seconds()*1_000/n, "ms-CPU/values")
	b.ReportMetric(layouts/n, "layouts")
	b.ReportMetric(all.Files, "files")
	b.ReportMetric(all.Bytes, "bytes")
}

func withoutCache() chromedp.Action[chromedp.Void] {
	return chromedp.Func(func(ctx context.Context, target *chromedp.Target) error {
		_, err := cdp.Call(ctx, target, network.SetCacheDisabled, network.SetCacheDisabledParams{CacheDisabled: true})
		return err
	})
}
