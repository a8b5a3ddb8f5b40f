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
	ctx := testkit.Browser(t)
	o := startObservatory(t)
	p := o.publisher(t)
	p.publish("jaeger", "i", false, []byte(`{"target": 5853498713190525696, "targets": [5853498713190525697, -9007199254740993], "small": 9007199254740991, "nan": NaN}`))
	openPage(t, ctx, o.addr)
	value := func(keyword string) string {
		return fmt.Sprintf(`document.querySelector('[data-actor="jaeger"] [data-keyword="%s"] .value')?.textContent`, keyword)
	}
	until(t, ctx, "the snapshot's digits", value("target")+` === "5853498713190525696"`)
	until(t, ctx, "the digits of a list", value("targets")+` === "5853498713190525697, -9007199254740993"`)
	until(t, ctx, "a number that JavaScript can represent", value("small")+` === "9007199254740991"`)

	p.publish("jaeger", "i", false, []byte(`{"target": 5853498713190525697}`))
	until(t, ctx, "the last digit changes", value("target")+` === "5853498713190525697"`)
	until(t, ctx, "and flashes", `document.querySelector('[data-actor="jaeger"] [data-keyword="target"]').matches(".flash-a, .flash-b")`)
	until(t, ctx, "the list of replies has the JSON as it was sent", `document.querySelector("#replies > li .body")?.textContent === '{"target":5853498713190525697}'`)
	do(t, ctx, chromedp.SendKeys("#filter-text", "5853498713190525697"))
	until(t, ctx, "the filter finds it", `document.querySelectorAll("#replies > li").length === 1`)
	do(t, ctx, chromedp.Click("#replies > li"), chromedp.WaitVisible("#envelope"))
	if envelope := evaluate[string](t, ctx, `document.querySelector("#envelope-json").textContent`); !strings.Contains(envelope, `"target": 5853498713190525697`) {
		t.Errorf("the envelope is %s", envelope)
	}
	screenshot(t, ctx, "page-digits")
	testkit.NoConsoleErrors(t, ctx)
}
