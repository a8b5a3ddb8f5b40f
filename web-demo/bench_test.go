package webdemo_test

import (
	"context"
	"fmt"
	"os"
	"strconv"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/performance"
	"github.com/chromedp/chromedp"

	"github.com/clu-ws/clu-ws/internal/testkit"
)

// These benchmarks measure the console in Chromium; scripts/bench-page.sh runs them. They need a machine with nothing
// else to do.

// slowCPU is how many times slower than this machine the page's CPU is.
const slowCPU = 4

// openUnderLoad opens a view of the console in a browser of its own, on a CPU that is so many times slower, after one
// reply of each actor.
func openUnderLoad(tb testing.TB, view string, slower float64) (context.Context, *observatory, *replyStorm) {
	tb.Helper()
	ctx := testkit.BrowserFor(tb, time.Hour)
	o := startObservatory(tb)
	s := o.replyStorm(tb)
	s.all()
	do(tb, ctx, chromedp.EmulateViewport(1400, 860), onNewDocument(countSockets), throttle(slower),
		chromedp.Navigate("http://"+o.addr+"/#/"+view))
	until(tb, ctx, "the page is connected", `document.body.dataset.link === "open"`)
	return ctx, o, s
}

func onNewDocument(script string) chromedp.Action[chromedp.Void] {
	return chromedp.Func(func(ctx context.Context, target *chromedp.Target) error {
		_, err := cdp.Call(ctx, target, page.AddScriptToEvaluateOnNewDocument, page.AddScriptToEvaluateOnNewDocumentParams{Source: script})
		return err
	})
}

// shown is what the page shows at one moment.
type shown struct {
	Now      int64   // ms since 1970
	Value    int64   // when the shown value was published
	Age      float64 // seconds, as the page says; at most
	Behind   bool    // the page says that it is
	Lag      string
	Messages int
	Closes   []string
}

// probe reads k0 of the first actor, in the overview or in the actor's view.
const probe = `(() => {
	const root = document.querySelector('#actors [data-actor="a00"]') ?? document;
	const row = root.querySelector('[data-keyword="k0"]');
	const age = /(\d+)([smhd])/.exec((row?.querySelector(".age") ?? root.querySelector(".seen"))?.textContent ?? "");
	return {
		Now: Date.now(), Value: Number(row?.querySelector(".value")?.textContent.replace(/[^\d]/g, "") || 0),
		Age: age ? Number(age[1]) * {s: 1, m: 60, h: 3600, d: 86400}[age[2]] : 0,
		Behind: document.body.dataset.dead === "behind", Lag: document.querySelector("#lag")?.textContent ?? "",
		Messages: sockets.messages, Closes: sockets.closes,
	};
})()`

func BenchmarkThePageUnderLoad(b *testing.B) {
	for _, view := range []string{"", "actor/a00"} {
		for _, rate := range []int{300, 500, 1000} {
			b.Run(fmt.Sprintf("view=%s, %d replies a second", view, rate), func(b *testing.B) {
				for b.Loop() {
					measureLoad(b, view, rate, time.Minute)
				}
			})
		}
	}
}

func measureLoad(b *testing.B, view string, rate int, span time.Duration) {
	ctx, _, s := openUnderLoad(b, view, slowCPU)
	stop := s.run(rate)
	until(b, ctx, "values of the storm are shown", fmt.Sprintf(`(%s).Value > %d`, probe, s.last.Load()))
	var worstLag, worstLie, untold, worstUntold time.Duration
	samples, behind := 0, 0
	before := time.Now()
	for began := before; time.Since(began) < span; <-time.After(250 * time.Millisecond) {
		at := evaluate[shown](b, ctx, probe)
		real := time.Duration(at.Now-at.Value)*time.Millisecond - stormPeriod(rate)
		worstLag = max(worstLag, real)
		worstLie = max(worstLie, real-time.Duration(at.Age*float64(time.Second)))
		samples++
		switch {
		case at.Behind:
			behind++
			untold = 0
		case real > 3*time.Second:
			untold += time.Since(before)
			worstUntold = max(worstUntold, untold)
		default:
			untold = 0
		}
		before = time.Now()
	}
	stop()
	ended := time.Now()
	last := s.last.Load()
	until(b, ctx, "the page is current", fmt.Sprintf(`(({Value, Behind}) => Value === %d && !Behind)(%s)`, last, probe))
	current := time.Since(ended)
	at := evaluate[shown](b, ctx, probe)
	b.ReportMetric(worstLag.Seconds(), "s-worst-lag")
	b.ReportMetric(max(0, worstLie.Seconds()), "s-older-than-said")
	b.ReportMetric(worstUntold.Seconds(), "s-untold")
	b.ReportMetric(100*float64(behind)/float64(samples), "%-behind")
	b.ReportMetric(current.Seconds(), "s-until-current")
	b.ReportMetric(float64(len(at.Closes)), "closes")
	b.ReportMetric(float64(at.Messages)/ended.Sub(ended.Add(-span)).Seconds(), "messages/s")
	if len(at.Closes) > 0 {
		b.Logf("closed: %q", at.Closes)
	}
}

// stormPeriod is the time between two replies of one actor.
func stormPeriod(rate int) time.Duration {
	return time.Second * stormActors / time.Duration(rate)
}

// scroll scrolls what can be scrolled for five seconds. Then window.scrolled has the frames that were drawn in a second,
// and the longest time between two.
const scroll = `window.scrolled = null; {
	const all = [document.scrollingElement, ...document.querySelectorAll("*")];
	const area = all.filter((node) => node.scrollHeight > node.clientHeight + 50 && /auto|scroll/.test(getComputedStyle(node).overflowY))
		.sort((a, b) => b.clientHeight * b.clientWidth - a.clientHeight * a.clientWidth)[0] ?? document.scrollingElement;
	let frames = 0, longest = 0, down = true;
	const began = performance.now();
	let last = began;
	const step = (now) => {
		frames += 1;
		longest = Math.max(longest, now - last);
		last = now;
		const before = area.scrollTop;
		area.scrollTop += down ? 17 : -17;
		if (area.scrollTop === before) down = !down;
		if (now - began < 5000) requestAnimationFrame(step);
		else window.scrolled = [frames / ((now - began) / 1000), longest];
	};
	requestAnimationFrame(step);
}`

func BenchmarkThePageWhileItIsScrolled(b *testing.B) {
	for _, view := range []string{"", "actor/a00", "log"} {
		b.Run("view="+view, func(b *testing.B) {
			for b.Loop() {
				ctx, _, s := openUnderLoad(b, view, 1)
				stop := s.run(200)
				until(b, ctx, "replies arrive", `sockets.messages > 1000`)
				do(b, ctx, chromedp.EmulateViewport(1400, 500), chromedp.Evaluate[chromedp.Void](scroll))
				until(b, ctx, "it has been scrolled", `window.scrolled !== null`)
				figures := evaluate[[]float64](b, ctx, `window.scrolled`)
				b.ReportMetric(figures[0], "frames/s")
				b.ReportMetric(figures[1], "ms-longest-frame")
				stop()
			}
		})
	}
}

func BenchmarkTheIdlePage(b *testing.B) {
	for _, view := range []string{"", "actor/a00", "log"} {
		for _, rate := range []int{0, stormActors} {
			b.Run(fmt.Sprintf("view=%s, %d replies a second", view, rate), func(b *testing.B) {
				for b.Loop() {
					ctx, _, s := openUnderLoad(b, view, 1)
					stop := func() {}
					if rate > 0 {
						stop = s.run(rate)
					}
					until(b, ctx, "it has settled", `performance.now() > 8000`)
					before := metrics(b, ctx)
					page := renderer(b)
					cpu, main := page.cpu(), page.mainThread().cpu()
					<-time.After(20 * time.Second)
					after := metrics(b, ctx)
					b.ReportMetric(100*(page.mainThread().cpu()-main).Seconds()/20, "%-main-thread")
					b.ReportMetric(100*(page.cpu()-cpu).Seconds()/20, "%-renderer-CPU")
					for _, name := range []string{"TaskDuration", "ScriptDuration", "LayoutDuration", "RecalcStyleDuration", "LayoutCount", "RecalcStyleCount"} {
						b.Logf("%s: %.3f a second", name, (after[name]-before[name])/20)
					}
					stop()
				}
			})
		}
	}
}

func BenchmarkThePagesMemory(b *testing.B) {
	minutes := 10
	if text := os.Getenv("CLU_WS_BENCH_MINUTES"); text != "" {
		minutes, _ = strconv.Atoi(text)
	}
	for b.Loop() {
		ctx, _, s := openUnderLoad(b, "", 1)
		stop := s.run(200)
		for minute := range minutes + 1 {
			m := metrics(b, ctx)
			b.Logf("after %2d min: heap %.1f MB, nodes %.0f, listeners %.0f, renderer RSS %.1f MB, %.0f messages", minute,
				m["JSHeapUsedSize"]/1e6, m["Nodes"], m["JSEventListeners"], float64(renderer(b).rss())/1e6, evaluate[float64](b, ctx, `sockets.messages`))
			if minute < minutes {
				<-time.After(time.Minute)
			}
		}
		stop()
	}
}

// metrics are those of Chromium's Performance.getMetrics; times in seconds.
func metrics(tb testing.TB, ctx context.Context) map[string]float64 {
	tb.Helper()
	all, err := chromedp.Run(ctx, func(ctx context.Context, target *chromedp.Target) (map[string]float64, error) {
		if _, err := cdp.Call(ctx, target, performance.Enable, performance.EnableParams{}); err != nil {
			return nil, err
		}
		result, err := cdp.Call(ctx, target, performance.GetMetrics, cdp.Empty{})
		if err != nil {
			return nil, err
		}
		values := map[string]float64{}
		for _, m := range result.Metrics {
			values[m.Name] = m.Value
		}
		return values, nil
	})
	if err != nil {
		tb.Fatal(err)
	}
	return all
}
