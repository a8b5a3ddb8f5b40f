package webdemo_test

import (
	"fmt"
	"testing"

	"github.com/chromedp/chromedp"

	"github.com/clu-ws/clu-ws/internal/testkit"
)

// Fault 11: 5853498713190525696 was shown as ...6000, unmarked. A body with NaN is rewritten by the bridge, and keeps its
// digits as well.
func TestTheActorViewShowsAllDigitsAndNoticesAChangeOfTheLastOne(t *testing.T) {
	t.Parallel()
	ctx := testkit.Browser(t)
	o := startObservatory(t)
	p := o.publisher(t)
	value := func(keyword string) string {
		return fmt.Sprintf(`document.querySelector('#actor [data-keyword="%s"] .value')?.textContent`, keyword)
	}
	for _, size := range sizes {
		name := size.name
		p.publish("jaeger", "i", false, []byte(`{"target": 5853498713190525696, "targets": [5853498713190525697, -9007199254740993], "small": 9007199254740991, "nan": NaN}`))
		openActor(t, ctx, o.addr, "jaeger", size)
		until(t, ctx, name+": the snapshot's digits", value("target")+` === "5853498713190525696"`)
		until(t, ctx, name+": a number that JavaScript can represent", value("small")+` === "9007199254740991"`)
		until(t, ctx, name+": the digits of a list", `document.querySelector('#actor [data-keyword="targets"] .summary-words').textContent === "[2] 5853498713190525697, -9007199254740993"`)
		do(t, ctx, chromedp.Evaluate[chromedp.Void](`document.querySelector('#actor [data-keyword="targets"] details').open = true; void 0`))
		until(t, ctx, name+": and of its items", `document.querySelector('#actor [data-path="jaeger.targets.1"] .value')?.textContent === "-9007199254740993"`)

		p.publish("jaeger", "i", false, []byte(`{"target": 5853498713190525697}`))
		until(t, ctx, name+": the last digit changes", value("target")+` === "5853498713190525697"`)
		until(t, ctx, name+": the list of replies has the JSON as it was sent", `[...document.querySelectorAll("#actor .row .body")].some((body) => body.textContent === '{"target":5853498713190525697}')`)
		screenshot(t, ctx, "digits-"+name)
	}
	testkit.NoConsoleErrors(t, ctx)
}
