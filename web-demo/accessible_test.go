package webdemo_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/chromedp/chromedp"

	"github.com/clu-ws/clu-ws/internal/testkit"
)

var themes = []string{"day", "dark", "night"}

// inStorm opens the console where each actor has said something, and several have problems.
func inStorm(t *testing.T) (ctx context.Context) {
	t.Helper()
	ctx = testkit.Browser(t)
	o := startObservatory(t)
	p := o.publisher(t)
	openPage(t, ctx, o.addr)
	for range 9 {
		p.next()
	}
	storm(p)
	until(t, ctx, "the problems are known", `document.querySelector("#worst").dataset.count === "4"`)
	return ctx
}

// storm publishes problems of each level, of several actors.
func storm(p *publisher) {
	p.text("dome", "w", "The shutter is slow.")
	p.text("weather", "e", "The anemometer does not answer.")
	p.text("camera", "!", "coolant leak")
	p.text("camera", "w", "disk 80 % full")
}

// setTheme chooses a theme, as the menu does.
func setTheme(t *testing.T, ctx context.Context, theme string) {
	t.Helper()
	do(t, ctx, chromedp.Evaluate[chromedp.Void](fmt.Sprintf(`{
		const select = document.querySelector("#theme");
		select.value = %q;
		select.dispatchEvent(new Event("change"));
	} void 0`, theme)))
	until(t, ctx, theme, fmt.Sprintf(`document.documentElement.dataset.theme === %q`, theme))
}

// views are the addresses of the views, and what shows that one is there.
var views = []struct{ name, hash, there string }{
	{"overview", "#/", `document.querySelector('#actors [data-actor="camera"]') !== null`},
	{"board", "#/board?title=Dusk&keywords=dome.n,weather.n&actor=roof&log=dome", `document.querySelectorAll(".board .item").length === 3`},
	{"boards", "#/board", `document.querySelector(".board form") !== null`},
	{"actor", "#/actor/dome", `document.querySelector('#actor[data-actor="dome"] [data-keyword="n"] .value') !== null`},
	{"plot", "#/plot?s=dome.n,weather.n&r=1h", `document.querySelector('#view[data-view="plot"] .view')?.childElementCount > 0`},
	{"plot", "#/plot?s=dome.n,weather.n,roof.even&r=5m", `document.querySelectorAll("#view .plot-chart").length > 0`},
	{"log", "#/log", `document.querySelector("#view [role=grid]") !== null`},
}

func TestEveryViewIsAccessibleInEachSizeAndTheme(t *testing.T) {
	t.Parallel()
	ctx := inStorm(t)
	for _, size := range sizes {
		do(t, ctx, chromedp.EmulateViewport(size.width, size.height))
		for _, view := range views {
			goTo(t, ctx, view.hash, view.there)
			for _, theme := range themes {
				setTheme(t, ctx, theme)
				testkit.Accessible(t, ctx, view.name+", "+size.name+", "+theme)
				screenshot(t, ctx, "view-"+view.name+"-"+size.name+"-"+theme)
			}
		}
	}
	testkit.NoConsoleErrors(t, ctx)
}

func TestWhatLiesOverTheViewIsAccessible(t *testing.T) {
	t.Parallel()
	ctx := inStorm(t)
	for _, size := range sizes {
		do(t, ctx, chromedp.EmulateViewport(size.width, size.height))
		for _, over := range []struct{ name, open, there, end string }{
			{"drawer", `document.querySelector("#worst").click()`, `document.querySelectorAll("#drawer [data-problem]").length === 4`, `document.querySelector("#drawer-close").click()`},
			{"palette", `document.querySelector("#palette-open").click()`, `document.querySelectorAll("#palette [role=option]").length > 3`, `document.querySelector("#palette").close()`},
			{"help", `document.querySelector("#menu").open = true; document.querySelector("#help-open").click()`, `document.querySelector("#help").open`, `document.querySelector("#help").close()`},
			{"menu", `document.querySelector("#menu").open = true`, `document.querySelector("#menu").open`, `document.querySelector("#menu").open = false`},
		} {
			do(t, ctx, chromedp.Evaluate[chromedp.Void](over.open+"; void 0"))
			until(t, ctx, over.name, over.there)
			for _, theme := range themes {
				setTheme(t, ctx, theme)
				testkit.Accessible(t, ctx, over.name+", "+size.name+", "+theme)
			}
			screenshot(t, ctx, "over-"+over.name+"-"+size.name)
			do(t, ctx, chromedp.Evaluate[chromedp.Void](over.end+"; void 0"))
		}
	}
	testkit.NoConsoleErrors(t, ctx)
}

// allRed is an expression for the colours in the page that have green or blue in them.
const allRed = `[...document.querySelectorAll("body, body *")].filter((node) => node.checkVisibility()).flatMap((node) => {
	const style = getComputedStyle(node);
	return ["color", "backgroundColor", "borderTopColor", "borderLeftColor", "outlineColor", "stroke", "fill"]
		.filter((name) => /^rgb/.test(style[name]) && !/^rgba\(.*, 0\)$/.test(style[name]))
		.filter((name) => style[name].match(/[\d.]+/g).slice(1, 3).some((part) => Number(part) > 0))
		.map((name) => node.tagName + "#" + node.id + "." + node.className + " " + name + " " + style[name]);
})`

func TestTheNightThemeHasNoColourButRed(t *testing.T) {
	t.Parallel()
	ctx := inStorm(t)
	setTheme(t, ctx, "night")
	for _, view := range views {
		goTo(t, ctx, view.hash, view.there)
		if found := evaluate[[]string](t, ctx, allRed); len(found) > 0 {
			t.Errorf("%s: %d, for instance %s", view.name, len(found), found[0])
		}
	}
	do(t, ctx, chromedp.Reload(), chromedp.WaitVisible(`#link-state[data-state="open"]`))
	if theme := evaluate[string](t, ctx, `document.documentElement.dataset.theme`); theme != "night" {
		t.Errorf("after a reload the theme is %s", theme)
	}
}
