package webdemo_test

import (
	"slices"
	"testing"

	"github.com/chromedp/chromedp"

	"github.com/clu-ws/clu-ws/internal/testkit"
)

// asking is a page that asks the bridge everything that clu.js can ask, after a warning of the dome.
const asking = `(async () => {
	const record = window.record = { notices: [], replies: 0, done: false };
	const { Clu } = await import("/clu.js");
	const clu = window.clu = new Clu("/", { bigint: "bigint" });
	clu.on("error", ({ message }) => { record.error = message; });
	clu.on("reply", ({ commandId }) => { record.replies += commandId === null ? 1 : 0; });
	clu.on("hello", ({ protocol, capabilities }) => { record.hello = [protocol, capabilities.includes("history")]; });
	clu.on("notice", ({ op, actor, problems, command }) => { record.notices.push([op, actor ?? command?.consumer, problems?.[0]?.acked != null].join(" ")); });
	const notices = clu.subscribe(null, { notices: ["actors", "problems", "commands", "models", "site"] });
	await clu.connect();
	await notices.ready;

	const { problems: [problem] } = await clu.problems();
	record.problem = [problem.actor, problem.level, problem.text];
	await clu.acknowledge("dome", { key: problem.key });
	record.acked = (await clu.problems()).problems.every(({ acked }) => acked !== null);

	const { series: [humidity, shutter, nothing] } = await clu.history(["dome.humidity", "dome.shutter", "dome.nothing"], { from: "-5m" });
	record.history = [humidity.kind, humidity.last.at(-1), shutter.kind, shutter.value.at(-1), nothing.kind];

	const { entries, oldest, epoch } = await clu.log({ limit: 10 });
	const told = entries.map(({ reply }) => reply).filter((reply) => reply?.sender === "dome");
	record.log = [typeof oldest, typeof epoch, String(told[0].keywords.target), Math.abs(told[0].heard - clu.now()) < 60_000];

	clu.send("nobody", "open").catch(() => {});
	record.site = typeof (await clu.site()).title;
	record.actors = (await clu.actors()).filter(({ name }) => name === "dome").map(({ interval_ms, consumer }) => [interval_ms, typeof consumer].join(" "));
	record.model = ["known", "partial", "none", "asking"].includes((await clu.model("dome")).state);
	record.commands = Array.isArray(await clu.everyCommand());
	await clu.log({ limit: 10, epoch: "another" }).catch(({ name, code }) => { record.gone = [name, code]; });
	await clu.history(["x".repeat(70_000)]).catch(({ name, code }) => { record.refused = [name, code]; });
	record.done = true;
})().catch((error) => { window.record.failed = String(error); })`

func TestTheClientAsksTheBridge(t *testing.T) {
	t.Parallel()
	ctx := testkit.Browser(t)
	o := startObservatory(t)
	p, heard := o.publisher(t), testkit.DialWebSocket(t, "ws://"+o.addr+"/")
	p.publish("dome", "i", false, []byte(`{"humidity": 41.5, "shutter": "open", "target": 5853498713190525696}`))
	p.text("dome", "w", "The shutter is slow.")
	for range 2 {
		heard.Receive() // so has the bridge what the page asks for
	}
	do(t, ctx, chromedp.Navigate("http://"+o.addr+"/license"), chromedp.Evaluate[chromedp.Void](`void `+asking))
	until(t, ctx, "everything is answered", `window.record?.done || window.record?.failed !== undefined`)
	until(t, ctx, "the notice of the acknowledgement has come", `record.notices.includes("problem dome true")`)

	type answers struct {
		Failed, Error                  string
		Hello, Problem, History, Log   []any
		Acked, Model, Commands         bool
		Site                           string
		Actors, Gone, Refused, Notices []string
		Replies                        int
	}
	got := evaluate[answers](t, ctx, `record`)
	if got.Failed != "" || got.Error != "" {
		t.Fatalf("it failed: %s %s", got.Failed, got.Error)
	}
	for _, check := range []struct {
		what      string
		got, want []any
	}{
		{"hello", got.Hello, []any{"v1", true}},
		{"problem", got.Problem, []any{"dome", "warn", "The shutter is slow."}},
		{"history", got.History, []any{"number", 41.5, "state", "open", nil}},
		{"log", got.Log, []any{"number", "string", "5853498713190525696", true}},
	} {
		if !slices.Equal(check.got, check.want) {
			t.Errorf("%s: %v, not %v", check.what, check.got, check.want)
		}
	}
	if !got.Acked || !got.Model || !got.Commands || got.Site != "string" || len(got.Actors) != 1 {
		t.Errorf("the answers are %+v", got)
	}
	if !slices.Equal(got.Gone, []string{"RequestError", "gone"}) || !slices.Equal(got.Refused, []string{"RequestError", "bad_request"}) {
		t.Errorf("the refusals are %q and %q", got.Gone, got.Refused)
	}
	if got.Replies != 0 {
		t.Errorf("a subscription to notices got %d replies", got.Replies)
	}
}
