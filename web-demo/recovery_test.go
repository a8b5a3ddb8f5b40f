package webdemo_test

import (
	"fmt"
	"testing"

	"github.com/chromedp/chromedp"

	"github.com/clu-ws/clu-ws/bridge"
	"github.com/clu-ws/clu-ws/bridge/site"
	"github.com/clu-ws/clu-ws/internal/testkit"
)

// Fault 9: alarms stayed red after recovery.
func TestAnAlarmDoesNotStayRedAfterRecovery(t *testing.T) {
	t.Parallel()
	ctx := testkit.Browser(t)
	o := startConfigured(t, func(cfg *bridge.Config) {
		cfg.Site = &site.Config{Conditions: []site.ConditionConfig{
			{Name: "unsafe", When: "weather.is_safe == false", Level: "critical", Text: "The weather is not safe."},
			{Name: "windy", When: "weather.wind_speed_ms > 12", Level: "warn", Text: "It is windy."},
		}}
	})
	p := o.publisher(t)
	level := func(want string) string {
		return fmt.Sprintf(`document.querySelector('#actors [data-actor="weather"]')?.dataset.level === %q`, want)
	}
	const over = `#drawer [data-actor="weather"][data-ended]`
	for _, size := range sizes {
		p.publish("weather", "i", false, []byte(`{"is_safe": false, "wind_speed_ms": 14}`))
		openPage(t, ctx, o.addr)
		do(t, ctx, chromedp.EmulateViewport(size.width, size.height))
		until(t, ctx, size.name+": the weather is critical", level("critical"))
		p.publish("weather", "i", false, []byte(`{"is_safe": true, "wind_speed_ms": 3}`))
		until(t, ctx, size.name+": it has recovered", level("ok"))
		do(t, ctx, chromedp.Click("#worst"), chromedp.WaitVisible(over+" .ack"))
		until(t, ctx, size.name+": what is over is told, less severely", fmt.Sprintf(`document.querySelector(%q).dataset.level === "error" && document.querySelectorAll("#drawer [data-problem]").length === 1`, over))
		screenshot(t, ctx, "recovery-over-"+size.name)
		do(t, ctx, chromedp.Reload(), chromedp.WaitReady(`#link-state[data-state="open"]`))
		until(t, ctx, size.name+": a reload changes nothing", level("ok"))
		do(t, ctx, chromedp.Click("#worst"), chromedp.WaitVisible(over+" .ack"), chromedp.Click(over+" .ack"))
		until(t, ctx, size.name+": once it is acknowledged it is gone", `document.querySelector("#drawer [data-problem]") === null`)
	}
	testkit.NoConsoleErrors(t, ctx)
}
