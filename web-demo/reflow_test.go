package webdemo_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"

	"github.com/clu-ws/clu-ws/internal/testkit"
)

// media emulates a medium, and what its user prefers.
func media(t *testing.T, ctx context.Context, medium string, features ...string) {
	t.Helper()
	params := emulation.SetEmulatedMediaParams{Media: medium}
	for i := 0; i < len(features); i += 2 {
		params.Features = append(params.Features, &emulation.MediaFeature{Name: features[i], Value: features[i+1]})
	}
	do(t, ctx, chromedp.Func(func(ctx context.Context, target *chromedp.Target) error {
		_, err := cdp.Call(ctx, target, emulation.SetEmulatedMedia, params)
		return err
	}))
}

// Twice as large means half as many CSS pixels; four times as large is what WCAG 1.4.10 asks for: 320 by 256.
func TestThePageIsUsableWhenItIsMagnified(t *testing.T) {
	t.Parallel()
	ctx := testkit.Browser(t)
	o := startObservatory(t)
	p := o.publisher(t)
	for range 9 {
		p.next()
	}
	storm(p)
	openPage(t, ctx, o.addr)
	until(t, ctx, "the problems are known", `document.querySelector("#worst").dataset.count === "4"`)
	for _, size := range []struct{ width, height int64 }{{700, 430}, {512, 384}, {320, 640}, {320, 256}} {
		do(t, ctx, chromedp.EmulateViewport(size.width, size.height))
		for _, view := range views {
			goTo(t, ctx, view.hash, view.there)
			what := fmt.Sprintf("%s at %dx%d", view.name, size.width, size.height)
			if wide := evaluate[int](t, ctx, `document.documentElement.scrollWidth - innerWidth`); wide > 0 {
				t.Errorf("%s: the page is %d px too wide", what, wide)
			}
			for _, selector := range []string{"#link-state", "#worst", "#arm", "#command-input"} {
				if !evaluate[bool](t, ctx, inSight(selector)) {
					t.Errorf("%s: %s is out of sight", what, selector)
				}
			}
			if height := evaluate[int](t, ctx, `document.querySelector("#view").clientHeight`); height < 60 {
				t.Errorf("%s: %d px are left for the view", what, height)
			}
		}
		screenshot(t, ctx, fmt.Sprintf("magnified-%dx%d", size.width, size.height))
	}
}

func TestThePageIsPrintedWhole(t *testing.T) {
	t.Parallel()
	ctx := testkit.Browser(t)
	o := startObservatory(t)
	p := o.publisher(t)
	for n := range 50 {
		p.publish(fmt.Sprintf("actor%d", n), "i", false, []byte(`{"n": 1}`))
	}
	openPage(t, ctx, o.addr)
	until(t, ctx, "the actors are there", `document.querySelector("#actors-count").textContent.startsWith("50 actors")`)
	setTheme(t, ctx, "night")
	media(t, ctx, "print")
	until(t, ctx, "nothing is cut off, and ink is not wasted", `(() => {
		const rows = [...document.querySelectorAll("#actors > li")].map((row) => row.getBoundingClientRect());
		const last = rows.sort((a, b) => b.bottom - a.bottom)[0];
		return rows.length === 50 && last.bottom <= document.documentElement.scrollHeight && new Set(rows.map(({ top }) => Math.round(top))).size === 50
			&& getComputedStyle(document.body).backgroundColor === "rgb(255, 255, 255)" && !document.querySelector("#dock").checkVisibility();
	})()`)
	media(t, ctx, "")
}

func TestLevelsAreToldWithoutColoursAndNothingMoves(t *testing.T) {
	t.Parallel()
	ctx := testkit.Browser(t)
	o := startObservatory(t)
	p := o.publisher(t)
	p.next()
	storm(p)
	openPage(t, ctx, o.addr)
	until(t, ctx, "the problems are known", `document.querySelector("#worst").dataset.count === "4"`)
	media(t, ctx, "", "forced-colors", "active", "prefers-reduced-motion", "reduce")
	for actor, level := range map[string][2]string{"dome": {"warn", "▲"}, "weather": {"error", "◆"}, "camera": {"critical", "✖"}} {
		until(t, ctx, actor, fmt.Sprintf(`(({ textContent, ariaLabel }) => textContent === %q && ariaLabel === %q)(document.querySelector('#actors [data-actor="%s"] .level'))`, level[1], level[0], actor))
	}
	if n := evaluate[int](t, ctx, `document.getAnimations().length`); n != 0 {
		t.Errorf("%d things move", n)
	}
	testkit.Accessible(t, ctx, "forced colours")
	screenshot(t, ctx, "forced-colours")
}
