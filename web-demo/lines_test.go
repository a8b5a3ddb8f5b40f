package webdemo_test

import (
	"fmt"
	"testing"

	"github.com/clu-ws/clu-ws/internal/testkit"
)

func TestTheLinesOfTheOverviewComeAfterItsRowsAndWithEachVisit(t *testing.T) {
	t.Parallel()
	ctx := testkit.Browser(t)
	o := startObservatory(t)
	p := o.publisher(t)
	for n := range 5 {
		p.publish("dome", "i", false, fmt.Appendf(nil, `{"az": %d}`, n*n))
	}
	openPage(t, ctx, o.addr)
	const drawn = `document.querySelector('#actors [data-actor="dome"] .spark path')?.getAttribute("d")?.includes("L")`
	until(t, ctx, "the line is drawn", drawn)
	goTo(t, ctx, "#/log", `document.querySelector(".rows .row") !== null`)
	goTo(t, ctx, "#/", drawn)
	testkit.NoConsoleErrors(t, ctx)
}
