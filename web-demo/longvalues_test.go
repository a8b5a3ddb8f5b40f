package webdemo_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	"github.com/clu-ws/clu-ws/internal/testkit"
)

// places is an expression for where the cells of a table are, from the first one on: what is above it may change meanwhile.
func places(selector string) string {
	return fmt.Sprintf(`[...document.querySelectorAll(%q)].map((cell, _, [first]) => {
		const { x, y, width, height } = cell.getBoundingClientRect();
		const origin = first.getBoundingClientRect();
		return [cell.className || cell.tagName, ...[x - origin.x, y - origin.y, width, height].map((n) => n.toFixed(1))].join(" ");
	})`, selector)
}

func TestALongValueIsCutAndMovesNothing(t *testing.T) {
	t.Parallel()
	ctx := testkit.Browser(t)
	o := startObservatory(t)
	p := o.publisher(t)
	say := func(state string) {
		p.publish("dome", "i", false, fmt.Appendf(nil, `{"humidity": 40, "state": %q, "zero": 0}`, state))
	}
	long := strings.TrimSpace(strings.Repeat("waiting for the shutter ", 12))
	for _, size := range sizes {
		for _, view := range []struct{ hash, cells, value string }{
			{"", "#actors > li > *", `#actors [data-keyword="state"]`},
			{"actor/dome", ".keyword-table [role=row] > *", `[data-keyword="state"] .value`},
			{"board?keywords=dome.state,dome.zero", ".board .values :is(th, td)", `.board [data-keyword="dome.state"] .value`},
		} {
			what := fmt.Sprintf("%s, view %q", size.name, view.hash)
			shown := fmt.Sprintf(`document.querySelector('%s')`, view.value)
			say("open")
			openView(t, ctx, o.addr, view.hash, size)
			until(t, ctx, what+": the value is shown", shown+`?.textContent.includes("open")`)
			until(t, ctx, what+": the style sheets are there", `[...document.querySelectorAll('link[rel="stylesheet"], link[rel="later"]')].every(({ sheet }) => sheet !== null)`)
			before := evaluate[[]string](t, ctx, places(view.cells))
			say(long)
			until(t, ctx, what+": the long value is shown, whole in its title", fmt.Sprintf(shown+`.textContent.includes("waiting") && `+shown+`.title.includes(%q)`, long))
			if after := evaluate[[]string](t, ctx, places(view.cells)); len(before) < 4 || !slices.Equal(before, after) {
				t.Errorf("%s: it has moved\n%s\nto\n%s", what, strings.Join(before, "\n"), strings.Join(after, "\n"))
			}
			if cut := evaluate[bool](t, ctx, `[`+shown+`, ...`+shown+`.children].some((node) => node.scrollWidth > node.clientWidth && getComputedStyle(node).textOverflow === "ellipsis") || `+shown+`.textContent.endsWith("…")`); !cut {
				t.Errorf("%s: it is not cut", what)
			}
			screenshot(t, ctx, "long-value-"+strings.SplitN(view.hash, "?", 2)[0][:min(5, len(view.hash))]+"-"+size.name)
			if view.hash == "actor/dome" {
				do(t, ctx, chromedp.Click(view.value))
				until(t, ctx, what+": a click shows all of it", shown+`.scrollWidth <= `+shown+`.clientWidth && `+shown+`.clientHeight > 30`)
			}
		}
	}
	testkit.NoConsoleErrors(t, ctx)
}
