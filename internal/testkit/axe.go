package testkit

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	"github.com/clu-ws/clu-ws/internal/testkit/cache"
)

// axeRun finds what the page lacks, by all rules of axe-core that are on by default, and those for the size of targets.
const axeRun = `axe.run({ rules: { "target-size": { enabled: true } } }).then(({ violations }) => violations.flatMap(({ id, impact, help, nodes }) =>
	nodes.map(({ target, failureSummary }) => id + " (" + impact + "): " + help + ": " + target.join(" ") + ": " + failureSummary.replace(/\s+/g, " "))))`

// Axe returns what axe-core finds wrong with the accessibility of the page in the browser of [Browser], whatever its
// impact.
func Axe(t testing.TB, ctx context.Context) (violations []string) {
	t.Helper()
	need(t, "axe-core")
	script, err := cache.Axe()
	if err != nil {
		Missing(t, "axe-core", "cannot install it: "+err.Error())
	}
	there, err := chromedp.Run(ctx, chromedp.Evaluate[bool](`"axe" in window`))
	if err == nil && !there {
		_, err = chromedp.Run(ctx, chromedp.Evaluate[any](script+"; void 0"))
	}
	if err != nil {
		t.Fatal(err)
	}
	violations, err = chromedp.Run(ctx, chromedp.Evaluate[[]string](axeRun, chromedp.EvalAwaitPromise))
	if err != nil {
		t.Fatal(err)
	}
	return violations
}

// Accessible fails the test if [Axe] finds anything.
func Accessible(t testing.TB, ctx context.Context, what string) {
	t.Helper()
	if found := Axe(t, ctx); len(found) > 0 {
		t.Error(fmt.Sprintf("%s: %d violations:\n", what, len(found)) + strings.Join(found, "\n"))
	}
}
