package webdemo_test

import (
	"fmt"
	"net/url"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	"github.com/clu-ws/clu-ws/internal/testkit"
)

// hostileRoutes are what bookmarks, chats and typing fingers make of the page's URLs.
var hostileRoutes = []string{
	"#", "#///?", "#/?q", "#/actor", "#/actor/", "#/actor/%E0%A4%A", "#/actor/dome/x?f=(&sort=constructor&c=__proto__", "#/actor/dome?c=open&c=close",
	"#/__proto__", "#/constructor/x", "#/plot?s=,,,", "#/plot?s=dome.n&r=999999999d", "#/plot?s=dome.n&r=-1h", "#/plot?s=dome&r=0s",
	"#/plot?s=dome.n&from=0001-01-01T00:00:00Z&to=0001-01-01T00:00:01Z", "#/plot?s=dome.n&from=%2B275760-09-12T23:59:59Z&to=%2B275760-09-13T00:00:00Z",
	"#/plot?s=dome.n&from=yesterday&to=now", "#/plot?s=" + url.QueryEscape(strings.Repeat("dome.n,roof.n,", 500)),
	"#/log?at=nope:99999999999999999999", "#/log?at=another-epoch:5", "#/log?at=:", "#/log?code=zzz&sender=,,,&internal=perhaps", "#/log?q=/(/", "#/log?q=" + strings.Repeat("x", 5_000),
	"#/board/nope", "#/board/..%2F..", "#/board?plot=~~&log=%25&keywords=,&actor=", "#/board?" + strings.Repeat("actor=dome&", 40), "#/board?log=q%3D%2F(%2F", "#/log",
}

func TestAURLThatIsNoneShowsSomethingSensible(t *testing.T) {
	t.Parallel()
	ctx := testkit.Browser(t)
	o := startObservatory(t)
	p := o.publisher(t)
	p.next()
	p.next()
	do(t, ctx, onNewDocument(`for (const kind of ["localStorage", "sessionStorage"]) Object.defineProperty(window, kind, { get() { throw new Error("forbidden"); } })`))
	openPage(t, ctx, o.addr)
	for _, route := range hostileRoutes {
		do(t, ctx, chromedp.Evaluate[chromedp.Void](fmt.Sprintf(`location.hash = %q`, route)))
		until(t, ctx, route+" shows something", `document.querySelector("#view").textContent !== ""`)
		p.next()
		if evaluate[bool](t, ctx, `document.querySelector("#view").textContent.includes("could not be shown")`) {
			t.Errorf("%s: %s", route, evaluate[string](t, ctx, `document.querySelector("#view").textContent`))
		}
		do(t, ctx, chromedp.Evaluate[chromedp.Void](`for (let n = 0; n < 12; n += 1) for (const name of ["out", "later", "earlier", "in"]) document.querySelector(".plot-" + name)?.click()`))
	}
	do(t, ctx, chromedp.Evaluate[chromedp.Void](`for (let n = 0; n < 8; n += 1) history.back()`))
	until(t, ctx, "the page goes on", `document.body.dataset.link === "open"`)
	testkit.NoConsoleErrors(t, ctx)
}
