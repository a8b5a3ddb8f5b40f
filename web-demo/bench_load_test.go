package webdemo_test

import (
	"testing"

	"github.com/chromedp/chromedp"

	"github.com/clu-ws/clu-ws/internal/testkit"
)

// whenInteractive notes how many ms after the navigation the page shows its view and is connected, and how many ms its
// files took.
const whenInteractive = `
	const watch = () => {
		if (document.body?.dataset.link === "open" && document.querySelector("#view .view > *")) {
			const files = performance.getEntriesByType("resource").filter(({ responseEnd }) => responseEnd < performance.now());
			window.record = { interactive: performance.now(), files: files.length + 1, bytes: files.reduce((sum, file) => sum + file.transferSize, performance.getEntriesByType("navigation")[0].transferSize) };
		} else {
			setTimeout(watch, 1);
		}
	};
	watch();`

// BenchmarkFirstLoad measures a first load: until the page shows its view and is connected, on a CPU that is four times
// slower.
func BenchmarkFirstLoad(b *testing.B) {
	ctx := testkit.Browser(b)
	o := startObservatory(b)
	s := o.replyStorm(b)
	s.all()
	do(b, ctx, chromedp.EmulateViewport(1400, 860), onNewDocument(whenInteractive), throttle(slowCPU))
	var all struct{ Interactive, Files, Bytes float64 }
	n := 0.0
	for b.Loop() {
		do(b, ctx, chromedp.Navigate("about:blank"), chromedp.Navigate("http://"+o.addr+"/"))
		until(b, ctx, "the page is interactive", `window.record?.interactive > 0`)
		one := evaluate[struct{ Interactive, Files, Bytes float64 }](b, ctx, `record`)
		all.Interactive += one.Interactive
		all.Files, all.Bytes = max(all.Files, one.Files), max(all.Bytes, one.Bytes)
		n++
	}
	b.ReportMetric(all.Interactive/n, "ms/interactive")
	b.ReportMetric(all.Files, "files")
	b.ReportMetric(all.Bytes, "bytes")
}
