package webdemo_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	"github.com/clu-ws/clu-ws/internal/testkit"
)

// twoSubscriptions is a page with two overlapping subscriptions, which records what it receives.
const twoSubscriptions = `<!doctype html><script type="module">
	import { Clu } from "http://BRIDGE/clu.js";
	const record = window.record = { first: null, senders: [], evens: [], all: [], gaps: [], late: 0, opened: 0, errors: [] };
	const clu = new Clu("ws://PROXY/", { minDelay: 10, maxDelay: 60, maxLag: Infinity });
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

// pageRecord is what such a page has recorded.
type pageRecord struct {
	Senders, Evens, All []int
	Gaps, Errors        []any
	Late, Opened        int
}

// plainClient connects a plain client, and returns a function that reads its numbers up to the last one.
func plainClient(t *testing.T, addr string) (readUntil func(last int) []int) {
	t.Helper()
	client := testkit.DialWebSocket(t, "ws://"+addr+"/")
	return func(last int) (received []int) {
		for len(received) == 0 || received[len(received)-1] != last {
			text := client.Receive()
			var e struct{ Body struct{ N int } }
			if err := json.Unmarshal(text, &e); err != nil || strings.Contains(string(text), `"seq"`) {
				t.Fatalf("the plain client received %s (%v)", text, err)
			}
			received = append(received, e.Body.N)
		}
		return received
	}
}

func TestAPageWhoseConnectionIsCutLosesAndRepeatsNothing(t *testing.T) {
	t.Parallel()
	ctx := testkit.Browser(t)
	o := startObservatory(t)
	proxy := startFaultProxy(t, o.addr)
	p := o.publisher(t)
	readUntil := plainClient(t, o.addr)
	const before = 6
	for range before {
		p.next()
	}
	site := servePage(t, strings.NewReplacer("BRIDGE", o.addr, "PROXY", proxy.addr).Replace(twoSubscriptions))

	do(t, ctx, chromedp.Navigate(site))
	until(t, ctx, "the values have arrived", `window.record?.first !== null`)
	if got := evaluate[map[string]int](t, ctx, `record.first`); got["dome"] != 4 || got["roof"] != 5 || got["replies"] != 0 {
		t.Errorf("before any reply the page has %v", got)
	}

	stop := p.run()
	for i := range 16 {
		until(t, ctx, "replies arrive", `record.mark = record.mark ?? record.all.length, record.all.length > record.mark + 15 && delete record.mark`)
		if i%2 == 0 {
			proxy.cut()
		} else {
			proxy.cutAfter(400 + 350*i) // after the upgrade, and in the middle of what was missed
		}
	}
	stop()
	for !evenOf(p.n) || senderOf(p.n) != "dome" { // the last one is for both subscriptions
		p.next()
	}
	last := p.n
	until(t, ctx, "the last reply arrived", `record.all.at(-1) === `+string(jsonOf(t, last)))

	got := evaluate[pageRecord](t, ctx, `record`)
	isSender := func(n int) bool { return senderOf(n) != "weather" }
	for what, pair := range map[string][2][]int{
		"senders": {got.Senders, numbers(before+1, last, isSender)},
		"evens":   {got.Evens, numbers(before+1, last, evenOf)},
		"all":     {got.All, numbers(before+1, last, func(n int) bool { return isSender(n) || evenOf(n) })},
		"plain":   {readUntil(last), numbers(1, last, func(int) bool { return true })},
	} {
		if !slices.Equal(pair[0], pair[1]) {
			t.Errorf("%s:\n got %v\nwant %v", what, pair[0], pair[1])
		}
	}
	if len(got.Gaps) > 0 || len(got.Errors) > 0 {
		t.Errorf("gaps %v, errors %v", got.Gaps, got.Errors)
	}
	if got.Opened < 17 || got.Late == 0 {
		t.Errorf("it connected %d times, and %d replies arrived late: the test covers little", got.Opened, got.Late)
	}
	t.Logf("%d replies, %d of them late, over %d connections and %d cuts", len(got.All), got.Late, got.Opened, proxy.count())
}
