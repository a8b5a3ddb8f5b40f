package webdemo_test

import (
	"context"
	"fmt"
	"path"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/profiler"
	"github.com/chromedp/chromedp"
)

// BenchmarkTheProfileOfThePage says where the page spends its time under load: the functions with the most time of their
// own.
func BenchmarkTheProfileOfThePage(b *testing.B) {
	for _, view := range []string{"", "actor/a00", "log"} {
		for _, rate := range []int{stormActors, 300} {
			b.Run(fmt.Sprintf("view=%s, %d replies a second", view, rate), func(b *testing.B) {
				for b.Loop() {
					ctx, _, s := openUnderLoad(b, view, slowCPU)
					stop := s.run(rate)
					until(b, ctx, "it has settled", `performance.now() > 8000`)
					b.Log("\n" + strings.Join(profile(b, ctx, 20*time.Second), "\n"))
					stop()
				}
			})
		}
	}
}

// profile returns the functions that have taken the most time, with the share of each in percent.
func profile(tb testing.TB, ctx context.Context, span time.Duration) (lines []string) {
	tb.Helper()
	result, err := chromedp.Run(ctx, func(ctx context.Context, target *chromedp.Target) (*profiler.Profile, error) {
		if _, err := cdp.Call(ctx, target, profiler.Enable, cdp.Empty{}); err != nil {
			return nil, err
		}
		if _, err := cdp.Call(ctx, target, profiler.Start, cdp.Empty{}); err != nil {
			return nil, err
		}
		<-time.After(span)
		stopped, err := cdp.Call(ctx, target, profiler.Stop, cdp.Empty{})
		return stopped.Profile, err
	})
	if err != nil {
		tb.Fatal(err)
	}
	hits, total := map[string]int64{}, int64(0)
	for _, node := range result.Nodes {
		frame := node.CallFrame
		hits[fmt.Sprintf("%s %s:%d", frame.FunctionName, path.Base(frame.URL), frame.LineNumber+1)] += node.HitCount
		total += node.HitCount
	}
	names := make([]string, 0, len(hits))
	for name := range hits {
		names = append(names, name)
	}
	slices.SortFunc(names, func(a, b string) int { return int(hits[b] - hits[a]) })
	for _, name := range names[:min(25, len(names))] {
		lines = append(lines, fmt.Sprintf("%5.1f %% %s", 100*float64(hits[name])/float64(total), name))
	}
	return lines
}
