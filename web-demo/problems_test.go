package webdemo_test

import (
	"testing"

	"github.com/chromedp/chromedp"

	"github.com/clu-ws/clu-ws/bridge"
	"github.com/clu-ws/clu-ws/bridge/site"
	"github.com/clu-ws/clu-ws/internal/testkit"
)

// startWithLimits starts an observatory whose site has a limit and a condition.
func startWithLimits(t *testing.T) (*observatory, *publisher) {
	t.Helper()
	high := 85.0
	o := startConfigured(t, func(cfg *bridge.Config) {
		cfg.Site = &site.Config{
			Keywords:   map[string]site.Keyword{"dome.humidity": {Unit: "%", Description: "Relative humidity", High: &high}},
			Conditions: []site.ConditionConfig{{Name: "unsafe", When: "dome.is_safe == false", Level: "critical", Text: "Not safe"}},
		}
	})
	return o, o.publisher(t)
}

func TestALimitIsShownWithTheValueOfNow(t *testing.T) {
	t.Parallel()
	ctx := testkit.Browser(t)
	o, p := startWithLimits(t)
	openPage(t, ctx, o.addr)
	p.publish("dome", "i", false, []byte(`{"humidity": 86.5}`))
	until(t, ctx, "the bar has the value and the limit", `document.querySelector("#worst .words").textContent === "1 · dome: Relative humidity 86.5 %, above 85 %"`)
	p.publish("dome", "i", false, []byte(`{"humidity": 97}`))
	until(t, ctx, "and the next value", `document.querySelector("#worst .words").textContent.endsWith("Relative humidity 97 %, above 85 %")`)
	do(t, ctx, chromedp.Click("#worst"), chromedp.WaitVisible(`#drawer [data-actor="dome"]`))
	until(t, ctx, "so has the drawer", `document.querySelector("#drawer .text").textContent === "Relative humidity 97 %, above 85 %"`)
	p.text("dome", "w", "gust 15.1 m/s")
	p.text("dome", "w", "gust 15.9 m/s")
	until(t, ctx, "what differs in a value is one problem", `[...document.querySelectorAll("#drawer li .text")].filter(({ textContent }) => textContent.startsWith("gust")).map(({ textContent }) => textContent).join() === "gust 15.9 m/s"`)
	until(t, ctx, "which says how often", `[...document.querySelectorAll("#drawer li")].find((row) => row.textContent.includes("gust")).querySelector(".age").textContent.includes("2 times")`)
	screenshot(t, ctx, "problems-limit")
	testkit.NoConsoleErrors(t, ctx)
}

func TestAProblemThatEndedUnseenIsCountedInTheBar(t *testing.T) {
	t.Parallel()
	ctx := testkit.Browser(t)
	o, p := startWithLimits(t)
	openPage(t, ctx, o.addr)
	p.publish("dome", "i", false, []byte(`{"is_safe": false}`))
	until(t, ctx, "it is there", `document.querySelector("#worst").dataset.count === "1" && document.querySelector("#worst .ended").hidden`)
	p.publish("dome", "i", false, []byte(`{"is_safe": true}`))
	for _, size := range sizes {
		do(t, ctx, chromedp.EmulateViewport(size.width, size.height))
		until(t, ctx, size.name+": it has ended, and is counted", `document.querySelector("#worst").textContent.replace(/\s+/g, " ").trim() === "● no problems 1 ended" && document.querySelector("#worst").dataset.ended === "1"`)
		if !evaluate[bool](t, ctx, inSight("#worst .ended")) {
			t.Errorf("%s: the count is out of sight", size.name)
		}
		screenshot(t, ctx, "problems-ended-"+size.name)
	}
	do(t, ctx, chromedp.Click("#worst"), chromedp.WaitVisible(`#drawer [data-ended] .ack`))
	until(t, ctx, "the drawer counts it", `document.querySelector("#drawer .count").textContent === "0 open, 1 ended"`)
	do(t, ctx, chromedp.Click(`#drawer [data-ended] .ack`))
	until(t, ctx, "it is acknowledged", `document.querySelector("#worst .ended").hidden && document.querySelector("#drawer .count").textContent === "0 open"`)
	o.stopBridge()
	until(t, ctx, "without a bridge nothing is claimed", `document.querySelector("#drawer .count").textContent === "not known" && document.querySelector("#drawer .nothing").textContent.startsWith("Not connected. It is not known whether there are problems.")`)
	screenshot(t, ctx, "problems-unknown")
}

func TestAReloadDoesNotSoundForWhatWasThere(t *testing.T) {
	t.Parallel()
	ctx := testkit.Browser(t)
	do(t, ctx, onNewDocument(countTones))
	o, p := startWithLimits(t)
	openPage(t, ctx, o.addr)
	do(t, ctx, chromedp.Evaluate[chromedp.Void](`document.querySelector("#sound").click(); void 0`))
	p.text("camera", "!", "coolant leak")
	until(t, ctx, "it sounds", `window.tones === 4`)
	do(t, ctx, chromedp.Reload(), chromedp.WaitVisible(`#link-state[data-state="open"]`))
	until(t, ctx, "it is told to screen readers again", `document.querySelector("#say-now").textContent === "Critical, camera: coolant leak."`)
	if tones := evaluate[int](t, ctx, `window.tones`); tones != 0 {
		t.Errorf("a reload played %d tones", tones)
	}
	p.text("dome", "w", "The shutter is slow.")
	until(t, ctx, "what is new sounds", `window.tones === 1`)
	do(t, ctx, chromedp.Evaluate[chromedp.Void](`sessionStorage.clear(); void 0`), chromedp.Reload(), chromedp.WaitVisible(`#link-state[data-state="open"]`))
	until(t, ctx, "a new tab sounds for what is critical", `document.querySelector("#say-now").textContent === "Critical, camera: coolant leak." && window.tones === 4`)
	testkit.NoConsoleErrors(t, ctx)
}
