package webdemo_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"github.com/clu-ws/clu-ws/bridge"
	"github.com/clu-ws/clu-ws/internal/testkit"
)

// tabTo presses Tab until a node that the selector matches has the focus.
func tabTo(t *testing.T, ctx context.Context, selector string) {
	t.Helper()
	for range 80 {
		if evaluate[bool](t, ctx, fmt.Sprintf(`document.activeElement.matches(%q) && document.activeElement.checkVisibility()`, selector)) {
			return
		}
		key(t, ctx, kb.Tab)
	}
	t.Fatalf("Tab does not come to %s", selector)
}

func TestANightIsWorkedWithoutAMouse(t *testing.T) {
	t.Parallel()
	for _, size := range sizes {
		t.Run(size.name, func(t *testing.T) {
			ctx := testkit.Browser(t)
			o := startConfigured(t, func(cfg *bridge.Config) { cfg.KeywordHistory = 16 << 20 })
			dome := startSimulated(t, o.url)
			o.publisher(t).text("weather", "w", "The wind rises.")
			openPage(t, ctx, o.addr)
			do(t, ctx, chromedp.EmulateViewport(size.width, size.height))
			until(t, ctx, "the problem is known", `document.querySelector("#worst").dataset.count === "1"`)

			key(t, ctx, "a")
			until(t, ctx, "the page is armed", `document.querySelector("#arm").ariaPressed === "true"`)
			key(t, ctx, "c")
			do(t, ctx, clearLine) // chromedp also types the letter of a shortcut
			key(t, ctx, "dome open")
			key(t, ctx, kb.Enter)
			if name := nextRun(t, ctx, dome.ran); name != "open" {
				t.Errorf("%s was run", name)
			}
			until(t, ctx, "the dome opens", `document.querySelector('#commands [data-consumer="dome"]')?.dataset.state === "done"`)

			tabTo(t, ctx, `#commands [data-consumer="dome"] .summary`)
			if !evaluate[bool](t, ctx, `document.querySelector('#commands [data-consumer="dome"] .summary').ariaExpanded === "true"`) {
				key(t, ctx, kb.Enter)
			}
			until(t, ctx, "the answer is read", `[...document.querySelectorAll('#commands [data-consumer="dome"] .answers li')].some((node) => node.checkVisibility() && node.textContent.includes("dome_shutter"))`)
			screenshot(t, ctx, "keyboard-answer-"+size.name)

			key(t, ctx, kb.Escape)
			key(t, ctx, kb.Escape)
			until(t, ctx, "no field has the focus", `!document.activeElement.matches("input")`)
			key(t, ctx, "p")
			until(t, ctx, "the first problem has the focus", `document.activeElement.matches('#drawer [data-actor="weather"]')`)
			key(t, ctx, "a")
			until(t, ctx, "it is acknowledged", `document.querySelector("#worst").dataset.count === "0"`)
			key(t, ctx, kb.Escape)
			until(t, ctx, "the drawer is closed", `document.querySelector("#drawer").hidden`)

			key(t, ctx, "k", chromedp.KeyModifiers(chromedp.ModifierCtrl))
			until(t, ctx, "the palette is open", `document.activeElement.id === "palette-input"`)
			key(t, ctx, "domeshut")
			until(t, ctx, "the keyword is found", `document.querySelector('#palette [aria-selected="true"]')?.textContent.includes("dome.dome_shutter")`)
			key(t, ctx, kb.Enter)
			until(t, ctx, "the actor is shown", `document.querySelector('#actor [data-keyword="dome_shutter"] .value')?.textContent.includes("open")`)
			tabTo(t, ctx, `#actor [data-keyword="dome_shutter"] a`)
			key(t, ctx, kb.Enter)
			until(t, ctx, "it is plotted", `document.querySelector('.plot-legend tr[data-keyword="dome.dome_shutter"] .value')?.textContent.includes("open")`)
			screenshot(t, ctx, "keyboard-plot-"+size.name)
			testkit.NoConsoleErrors(t, ctx)
		})
	}
}
