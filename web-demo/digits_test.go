package webdemo_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	"github.com/clu-ws/clu-ws/internal/testkit"
)

// A body with NaN is rewritten by the bridge, and keeps its digits as well.
func TestThePageShowsAllDigitsAndNoticesAChangeOfTheLastOne(t *testing.T) {
	for name, size := range viewports {
		t.Run(name, func(t *testing.T) {
			ctx := testkit.Browser(t)
			o := startObservatory(t)
			p := o.publisher(t)
			p.publish("jaeger", "i", false, []byte(`{"target": 5853498713190525696, "targets": [5853498713190525697, -9007199254740993], "small": 9007199254740991, "nan": NaN}`))
			openView(t, ctx, o.addr, "actor/jaeger", size)
			value := func(keyword string) string {
				return fmt.Sprintf(`document.querySelector('#actor [data-keyword="%s"]')?.textContent`, keyword)
			}
			until(t, ctx, "the snapshot's digits", value("target")+`?.includes("5853498713190525696")`)
			until(t, ctx, "a number that JavaScript can represent", value("small")+`?.includes("9007199254740991")`)
			until(t, ctx, "the digits of a list", value("targets")+`?.includes("5853498713190525697")`)

			p.publish("jaeger", "i", false, []byte(`{"target": 5853498713190525697}`))
			until(t, ctx, "the last digit changes", value("target")+`.includes("5853498713190525697")`)
			do(t, ctx, chromedp.Evaluate[chromedp.Void](`location.hash = "#/log?q=5853498713190525697"`))
			const row = `[...document.querySelectorAll(".rows .row")].find((row) => row.querySelector(".body").textContent === '{"target":5853498713190525697}')`
			until(t, ctx, "the log has the JSON as it was sent", row+` !== undefined`)
			do(t, ctx, chromedp.Evaluate[chromedp.Void](row+`.click()`), chromedp.WaitVisible(".envelope-json"))
			if envelope := evaluate[string](t, ctx, `document.querySelector(".envelope-json").textContent`); !strings.Contains(envelope, `"target": 5853498713190525697`) {
				t.Errorf("the envelope is %s", envelope)
			}
			screenshot(t, ctx, "digits-"+name)
			testkit.NoConsoleErrors(t, ctx)
		})
	}
}
