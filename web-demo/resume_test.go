package webdemo_test

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/gobwas/ws"
	"github.com/gobwas/ws/wsutil"

	"github.com/clu-ws/clu-ws/internal/testkit"
)

// twoSubscriptions is a page with two subscriptions that overlap, and its record.
const twoSubscriptions = `<!doctype html><script type="module">
	import { Clu } from "http://BRIDGE/clu.js";
	const record = window.record = { first: null, senders: [], evens: [], all: [], gaps: [], late: 0, opened: 0, errors: [] };
	const clu = new Clu("ws://CUTTER/", { minDelay: 10, maxDelay: 60 });
	const senders = clu.subscribe({ sender: ["dome", "roof"] }, {
		onValues: (values) => { record.first ??= { dome: values.dome?.n?.value, roof: values.roof?.n?.value, replies: record.all.length }; },
		onReply: ({ body }) => record.senders.push(body.n),
	});
	clu.subscribe({ keyword: "even" }, { onReply: ({ body }) => record.evens.push(body.n) });
	clu.on("reply", ({ body, late }) => { record.all.push(body.n); record.late += late ? 1 : 0; });
	clu.on("gap", (gap) => record.gaps.push(gap));
	clu.on("open", () => { record.opened += 1; });
	clu.on("error", ({ message }) => record.errors.push(message));
	clu.connect();
</script>`

// pageRecord is what such a page has heard.
type pageRecord struct {
	Senders, Evens, All []int
	Gaps, Errors        []any
	Late, Opened        int
}

// plainClient hears the numbers as a plain client does, until the last one.
func plainClient(t *testing.T, addr string) (untilHeard func(last int) []int) {
	t.Helper()
	conn, br, _, err := ws.Dial(t.Context(), "ws://"+addr+"/")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	var in io.ReadWriter = conn
	if br != nil {
		in = struct {
			io.Reader
			io.Writer
		}{br, conn}
	}
	return func(last int) (heard []int) {
		_ = conn.SetReadDeadline(time.Now().Add(patience))
		for len(heard) == 0 || heard[len(heard)-1] != last {
			text, err := wsutil.ReadServerText(in)
			if err != nil {
				t.Fatalf("the plain client heard %d, then: %v", len(heard), err)
			}
			var e struct{ Body struct{ N int } }
			if err := json.Unmarshal(text, &e); err != nil || strings.Contains(string(text), `"seq"`) {
				t.Fatalf("the plain client heard %s (%v)", text, err)
			}
			heard = append(heard, e.Body.N)
		}
		return heard
	}
}

func numbers(from, to int, wanted func(n int) bool) (all []int) {
	for n := from; n <= to; n++ {
		if wanted(n) {
			all = append(all, n)
		}
	}
	return all
}

func TestAPageWhoseConnectionIsCutHasARecordWithoutAHole(t *testing.T) {
	ctx := testkit.Browser(t)
	o := startObservatory(t)
	proxy := startCutter(t, o.addr)
	v := o.voice(t)
	untilHeard := plainClient(t, o.addr)
	const before = 6
	for range before {
		v.say()
	}
	page := strings.NewReplacer("BRIDGE", o.addr, "CUTTER", proxy.addr).Replace(twoSubscriptions)
	elsewhere := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		io.WriteString(w, page)
	}))
	defer elsewhere.Close()

	do(t, ctx, chromedp.Navigate(elsewhere.URL))
	until(t, ctx, "the values are there", `window.record?.first !== null`)
	if got := evaluate[map[string]int](t, ctx, `record.first`); got["dome"] != 4 || got["roof"] != 5 || got["replies"] != 0 {
		t.Errorf("before any reply the page has %v", got)
	}

	stop := v.flow()
	for i := range 16 {
		until(t, ctx, "replies flow", `record.mark = record.mark ?? record.all.length, record.all.length > record.mark + 15 && delete record.mark`)
		if i%2 == 0 {
			proxy.cut()
		} else {
			proxy.cutAfter(400 + 350*i) // behind the upgrade, and in the midst of what was missed
		}
	}
	stop()
	for !evenOf(v.n) || senderOf(v.n) != "dome" { // the last one is for both
		v.say()
	}
	last := v.n
	until(t, ctx, "the last reply came", `record.all.at(-1) === `+string(jsonOf(t, last)))

	got := evaluate[pageRecord](t, ctx, `record`)
	isSender := func(n int) bool { return senderOf(n) != "weather" }
	for what, pair := range map[string][2][]int{
		"senders": {got.Senders, numbers(before+1, last, isSender)},
		"evens":   {got.Evens, numbers(before+1, last, evenOf)},
		"all":     {got.All, numbers(before+1, last, func(n int) bool { return isSender(n) || evenOf(n) })},
		"plain":   {untilHeard(last), numbers(1, last, func(int) bool { return true })},
	} {
		if !slices.Equal(pair[0], pair[1]) {
			t.Errorf("%s:\n got %v\nwant %v", what, pair[0], pair[1])
		}
	}
	if len(got.Gaps) > 0 || len(got.Errors) > 0 {
		t.Errorf("gaps %v, errors %v", got.Gaps, got.Errors)
	}
	if got.Opened < 17 || got.Late == 0 {
		t.Errorf("it connected %d times, and %d replies came late: the test tries little", got.Opened, got.Late)
	}
	t.Logf("%d replies, %d of them late, over %d connections and %d cuts", len(got.All), got.Late, got.Opened, proxy.count())
}

func jsonOf(t *testing.T, v any) []byte {
	t.Helper()
	text, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return text
}
