package webdemo_test

import (
	"strconv"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
	amqp "github.com/rabbitmq/amqp091-go"

	"github.com/clu-ws/clu-ws/actor"
	"github.com/clu-ws/clu-ws/internal/testkit"
)

// sameIDs is a page that sends commands with one id to one actor over three servers: two bridges and CLU's own. A raw
// socket of the page sends CLU's own server an expiry, which that server does not know.
const sameIDs = `<!doctype html><link rel="icon" href="data:,"><script type="module">
	import { Clu } from "./clu.js";
	const record = window.record = { replies: {}, ended: {}, codes: {}, raw: [] };
	const clus = window.clus = { east: new Clu("ws://EAST/"), west: new Clu("ws://WEST/"), own: new Clu("ws://OWN/") };
	for (const [name, clu] of Object.entries(clus)) {
		clu.on("reply", ({ commandId, commanderId, code }) => { (record.replies[name] ??= []).push(commandId + " " + code); record.codes[commanderId] = code; });
		await clu.connect();
	}
	await clus.own.send("test", "ping");  // the client learns the server's name
	window.send = (name, words) => {
		const command = (window.commands ??= {})[name] = clus[name].send("test", words, { commandId: "9" });
		command.then(({ reply }) => { record.ended[name] = "done by " + reply.sender; }, ({ state, message }) => { record.ended[name] = state + ": " + message; });
	};
	const socket = window.socket = new WebSocket("ws://OWN/");
	socket.onmessage = ({ data }) => { const { headers } = JSON.parse(data); if (headers.command_id === "raw") record.raw.push(headers.message_code); };
</script>`

func TestACommandEndsOnlyByItsOwnRepliesWhenOthersUseItsID(t *testing.T) {
	t.Parallel()
	python := testkit.CLU(t)
	ctx := testkit.Browser(t)
	o := startObservatory(t)
	east := o.addr
	o.startBridge(t, listen(t))
	west := o.addr
	port := testkit.FreePort(t)
	python.StartWebSocketServer(t, port, o.url)
	python.StartActor(t, o.url, "test")
	site := servePage(t, strings.NewReplacer("EAST", east, "WEST", west, "OWN", "127.0.0.1:"+strconv.Itoa(port)).Replace(sameIDs))
	p := o.publisher(t)
	end := func(sender, commander string) {
		err := p.ch.Publish(actor.Exchange, "reply."+commander, false, false, amqp.Publishing{
			Headers:       amqp.Table{"message_code": ":", "sender": sender, "command_id": "9", "commander_id": commander, "internal": false},
			CorrelationId: "9", Body: []byte(`{"text": "not yours"}`),
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	do(t, ctx, chromedp.Navigate(site))
	until(t, ctx, "all are connected", `Object.values(clus).map((clu) => clu.protocol).join(" ") === "v1 v1 plain" && socket.readyState === 1`)
	do(t, ctx, chromedp.Evaluate[chromedp.Void](`for (const name of ["east", "west", "own"]) send(name, "slow 60"); void 0`))
	until(t, ctx, "all of them are running", `Object.values(commands).every(({ state }) => state === "running")`)
	commanders := evaluate[[]string](t, ctx, `Object.values(commands).map(({ replies }) => replies[0].commanderId)`)

	for _, c := range commanders {
		bridge := strings.TrimSuffix(c, ".test")
		end("weather", bridge+".weather")
		end("weather", c)
		end("other", c+".other") // a command of the actor to another one
	}
	end("test", "another-client.test")
	do(t, ctx, chromedp.Evaluate[chromedp.Void](`void socket.send(JSON.stringify({consumer: "nobody", command_string: "ping", command_id: "9"}))`))
	until(t, ctx, "CLU's own server reports that there is no such consumer", `Object.keys(record.codes).some((commander) => commander.endsWith(".nobody"))`)
	p.text("weather", "i", "That was all.")
	for _, name := range []string{"east", "west", "own"} {
		until(t, ctx, name+" has received it", `record.replies.`+name+`.at(-1) === "null i"`)
	}
	if ended := evaluate[string](t, ctx, `JSON.stringify(record.ended)`); ended != "{}" {
		t.Errorf("replies of others ended: %s", ended)
	}

	for i, name := range []string{"east", "west", "own"} {
		end("test", commanders[i])
		until(t, ctx, name+" has ended", `record.ended.`+name+` === "done by test"`)
		if n := evaluate[int](t, ctx, `Object.keys(record.ended).length`); n != i+1 {
			t.Errorf("after the final reply of %s, %d have ended", name, n)
		}
	}

	do(t, ctx, chromedp.Evaluate[chromedp.Void](`void socket.send(JSON.stringify({consumer: "test", command_string: "ping", command_id: "raw", expires_at: 1.5}))`))
	until(t, ctx, "CLU's own server accepts a command with an expiry", `record.raw.at(-1) === ":"`)
	do(t, ctx, chromedp.Evaluate[chromedp.Void](`void Promise.allSettled(Object.values(clus).map((clu) => clu.send("nobody.x", "ping"))).then((all) => { record.absent = all.map(({ reason }) => reason.state + ": " + reason.message).join(" "); })`))
	const absent = "failed: Failed routing message to consumer 'nobody.x'."
	until(t, ctx, "a consumer that does not exist fails everywhere", `record.absent === "`+strings.Join([]string{absent, absent, absent}, " ")+`"`)
	testkit.NoConsoleErrors(t, ctx)
}
