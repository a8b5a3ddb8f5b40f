package bridge_test

import (
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gobwas/ws"

	"github.com/clu-ws/clu-ws/bridge"
	"github.com/clu-ws/clu-ws/internal/testkit"
)

// domeOpens is a dome that is opened by a tracked command with the id 7, which keeps running.
func domeOpens(t *testing.T) (b *running, p *peer, a *client) {
	t.Helper()
	b, p, a = started(t, "/")
	commands := p.hear("command.dome.#")
	a.ask(`{"op": "subscribe", "id": "mine", "filter": {"commander": "me"}}`)
	a.ask(`{"op": "command", "id": "a", "consumer": "dome", "command_string": "open", "command_id": "7"}`)
	testkit.Await(t, commands)
	return b, p, a
}

// endsItself makes the dome end its command, and checks that this is what its sender gets next.
func endsItself(t *testing.T, p *peer, a *client) {
	t.Helper()
	p.from("dome", ":", `{"dome_open": true}`, "command_id", "7")
	equal(t, "the reply", a.next().header("sender"), any("dome"))
	r := a.next()
	equal(t, "the result", []any{r["op"], r["id"], r["status"], fmt.Sprint(r["replies"])}, []any{"result", "a", "done", "1"})
}

func TestOnlyItsOwnRepliesEndACommand(t *testing.T) {
	b, p, a := domeOpens(t)
	p.hear("command.weather.#")
	other := dial(t, b.addr)
	for _, consumer := range []string{"weather", "nobody", "dome"} {
		other.say(fmt.Sprintf(`{"consumer": %q, "command_string": "status", "command_id": "7"}`, consumer))
		if e := other.next(); !strings.Contains(e.errorText(), "in flight") {
			t.Errorf("the same id to %s: %v", consumer, e)
		}
	}
	p.from("weather", ":", `{}`, "command_id", "7")
	p.from("camera", ":", `{}`, "command_id", "7", "commander_id", "another-client.camera")
	p.from("weather", ":", `{}`, "command_id", "7", "commander_id", "bridge.dome")
	p.from("dome", ":", `{}`, "command_id", "7", "commander_id", "another-client.dome")
	p.from("dome", "i", `{}`, "command_id", "8", "commander_id", "bridge.dome")
	endsItself(t, p, a)
}

func TestACommandOfAnotherBridgeEndsNoneHere(t *testing.T) {
	url := embeddedBroker(t)
	here := linked(t, url, func(c *bridge.Config) { c.Name = "bridge" })
	there := linked(t, url, func(c *bridge.Config) { c.Name = "bridge.other" })
	p := newPeer(t, url)
	domes := p.hear("command.dome.#")
	p.answering(":") // an actor x
	answered := make(chan string)
	go func() {
		code, answer := here.post(t, "/api/command?wait=1&timeout_ms=15000", `{"consumer": "dome", "command_string": "open", "command_id": "7"}`)
		answered <- fmt.Sprint(code, answer["status"], len(answer["replies"].([]any)))
	}()
	testkit.Await(t, domes)
	code, _ := there.post(t, "/api/command?wait=1", `{"consumer": "x", "command_string": "go", "command_id": "7"}`)
	equal(t, "the other's", code, http.StatusOK)
	code, _ = there.post(t, "/api/command?wait=1", `{"consumer": "nobody", "command_string": "go", "command_id": "7"}`)
	equal(t, "the other's to nobody", code, http.StatusNotFound)
	for _, consumer := range []string{"x", "nobody", "dome"} {
		code, answer := here.post(t, "/api/command", fmt.Sprintf(`{"consumer": %q, "command_string": "go", "command_id": "7"}`, consumer))
		equal(t, "one here", fmt.Sprint(code, answer["code"]), "409in_use")
	}
	p.from("dome", ":", `{}`, "command_id", "7", "commander_id", "bridge.dome")
	equal(t, "the answer", testkit.Receive(t, answered), "200done1")
}

func TestACommandToADottedConsumerIsEndedByItsActor(t *testing.T) {
	_, p, a := started(t, "/")
	p.hear("command.dome.#")
	a.ask(`{"op": "command", "id": "a", "consumer": "dome.x", "command_string": "open", "command_id": "7"}`)
	p.from("dome", ":", `{}`, "command_id", "7", "commander_id", "bridge.dome.x")
	a.next()
	equal(t, "the result", a.next()["status"], any("done"))
}

// Two pages that count their ids from 1.
func TestTwoClientsThatUseTheSameIDsGetTheirOwnResults(t *testing.T) {
	url := embeddedBroker(t)
	b := linked(t, url, func(c *bridge.Config) { c.Name = "bridge" })
	p := newPeer(t, url)
	commands := p.hear("command.#")
	first, second := dial(t, b.addr), dial(t, b.addr)
	for id := 1; id <= 3; id++ {
		first.say(fmt.Sprintf(`{"consumer": "dome", "command_string": "open", "command_id": "%d"}`, id))
		testkit.Await(t, commands)
		second.say(fmt.Sprintf(`{"consumer": "weather", "command_string": "status", "command_id": "%d"}`, id))
		if e := second.next(); !strings.Contains(e.errorText(), "in flight") {
			t.Errorf("while the first tab's is in flight: %v", e)
		}
		p.from("dome", ":", `{}`, "command_id", fmt.Sprint(id))
		first.next()
		second.next()
		second.say(fmt.Sprintf(`{"consumer": "weather", "command_string": "status", "command_id": "%d"}`, id))
		testkit.Await(t, commands)
		p.from("weather", ":", `{}`, "command_id", fmt.Sprint(id))
		first.next()
		second.next()
	}
}

// All forms share one registry: of many commands at the same moment, only one is sent.
func TestOfManyCommandsWithOneIDInAllFormsOneIsSent(t *testing.T) {
	url := embeddedBroker(t)
	b := linked(t, url)
	p := newPeer(t, url)
	commands := p.hear("command.dome.#")
	plain, v1 := dial(t, b.addr), dialWith(t, b.addr, "/", bridge.Subprotocol)
	v1.next()
	for n := range 50 {
		command := fmt.Sprintf(`"consumer": "dome", "command_string": "open", "command_id": "%d"}`, n)
		var racing sync.WaitGroup
		racing.Go(func() { plain.say("{" + command) })
		racing.Go(func() { v1.say(`{"op": "command", ` + command) })
		racing.Go(func() { b.post(t, "/api/command", "{"+command) })
		racing.Wait()
		testkit.Await(t, commands)
	}
	plain.say(`{"consumer": "dome", "command_string": "open", "command_id": "last"}`)
	if d := testkit.Receive(t, commands); d.CorrelationId != "last" {
		t.Errorf("%s was sent twice", d.CorrelationId)
	}
}

func TestHalfASurrogatePairIsRefused(t *testing.T) {
	b, p, a := started(t, "/")
	commands := p.hear("command.#")
	plain := dial(t, b.addr)
	for _, half := range []string{`\ud800`, `\udc00`, `x\uDBFFy`, `\ud800\ud800\udc00`, `\udc00\ud800`, `\ud800\n`} {
		for field, message := range map[string]string{
			"command_id":     `"consumer": "dome", "command_string": "open", "command_id": "` + half + `"}`,
			"consumer":       `"consumer": "` + half + `", "command_string": "open"}`,
			"command_string": `"consumer": "dome", "command_string": "` + half + `"}`,
		} {
			plain.say("{" + message)
			if e := plain.next(); !strings.Contains(e.errorText(), "surrogate") || !strings.Contains(e.errorText(), field) {
				t.Errorf("plain, %s %s: %v", field, half, e)
			}
			e := a.ask(`{"op": "command", "id": "a", ` + message)
			equal(t, "tracked, "+field, []any{e["op"], e["id"], e["code"]}, []any{"error", "a", "bad_request"})
			code, answer := b.post(t, "/api/command", "{"+message)
			equal(t, "over HTTP, "+field, fmt.Sprint(code, answer["code"]), "400bad_request")
		}
	}
	e := a.ask(`{"op": "ping", "id": "\ud800"}`)
	equal(t, "a request's id", []any{e["op"], e["id"], e["code"]}, []any{"error", nil, "bad_request"})
	plain.say(`{"consumer": "dome", "command_string": "open", "command_id": "\ud83d\ude00\\ud800"}`)
	equal(t, "a whole pair", testkit.Receive(t, commands).CorrelationId, "\U0001f600\\ud800")
}

func TestAFailedResultHasTheReasonEvenIfTheReplyIsNotSelected(t *testing.T) {
	b, p, a := started(t, "/?sender=weather")
	a.next() // the answer to that
	p.hear("command.dome.#")
	for body, want := range map[string]string{
		`{"error": "the dome is iced"}`:                              "the dome is iced",
		`{"dome_open": false, "text": "no", "error": ["a", "b"]}`:    "a\nb",
		`{"text": "only a text"}`:                                    "only a text",
		`{"error": null, "text": "behind a null"}`:                   "behind a null",
		`{"error": {"exception_type": "X", "message": "it broke"}}`:  "it broke",
		`{"dome_open": false}`:                                       "The actor gave no reason.",
		`{"error": "` + strings.Repeat("é", 1000) + `"}`:             strings.Repeat("é", 512) + "...",
		`{"nested": {"error": "not this one"}, "error": "this one"}`: "this one",
	} {
		a.ask(`{"op": "command", "id": "a", "consumer": "dome", "command_string": "open", "command_id": "1"}`)
		p.from("dome", "f", body, "command_id", "1")
		r := a.next()
		equal(t, body, []any{r["op"], r["status"], r["message"]}, []any{"result", "failed", want})
	}
	p.answeringWith(`{"error": "iced"}`, "f")
	code, answer := b.post(t, "/api/command?wait=1", `{"consumer": "x", "command_string": "go"}`)
	equal(t, "over HTTP", fmt.Sprint(code, answer["status"], " ", answer["message"]), "422failed iced")
}

func TestUnroutableFailuresAreNotKeptAndTheirRateIsBounded(t *testing.T) {
	b, p, a := started(t, "/")
	p.from("dome", "i", `{"dome_open": true}`)
	seq := a.next().seq()
	epoch := a.ask(`{"op": "ping"}`)["epoch"]
	hears := dial(t, b.addr)
	sender := dial(t, b.addr)
	const commands = 300
	began := time.Now()
	for n := range commands {
		sender.say(fmt.Sprintf(`{"consumer": "invented%d", "command_string": "go", "command_id": "%d"}`, n, n))
	}
	ends := map[any]int{}
	for range commands { // each has its end once: by the reply for all, or alone
		e := sender.next()
		ends[e.header("command_id")]++
	}
	equal(t, "ends", len(ends), commands)
	p.from("dome", "i", `{"dome_open": false}`)
	heard := 0
	for e := hears.next(); e.header("sender") != "dome"; e = hears.next() {
		heard++
	}
	if most := 10 * (2 + int(time.Since(began).Seconds())); heard == 0 || heard > most { // 10 a second
		t.Errorf("everyone heard of %d", heard)
	}
	snapshot := dialWith(t, b.addr, "/", bridge.Subprotocol)
	snapshot.next()
	actors := snapshot.ask(`{"op": "actors"}`)["actors"].([]any)
	equal(t, "the actors", len(actors), 1)
	resumed, _ := dialV1(t, b.addr, fmt.Sprintf("/?since=%s:%d", epoch, seq))
	ok := resumed.next()
	equal(t, "resumed", ok["resumed"], any(true))
	e := resumed.next()
	equal(t, "what was missed", fmt.Sprint(e.header("sender"), e["body"]), "domemap[dome_open:false]")
	equal(t, "its number", e.seq(), seq+uint64(heard)+1)
}

// A command followed by a close frame is sent. One whose connection broke after it may not be: see
// the outbox.
func TestACommandFollowedByACloseFrameIsSent(t *testing.T) {
	url := embeddedBroker(t)
	b := linked(t, url)
	commands := newPeer(t, url).hear("command.dome.#")
	for n := range 20 {
		c := dial(t, b.addr)
		id := fmt.Sprint(n)
		text := ws.MaskFrameInPlace(ws.NewTextFrame(fmt.Appendf(nil, `{"consumer": "dome", "command_string": "open", "command_id": %q}`, id)))
		goodbye := ws.MaskFrameInPlace(ws.NewCloseFrame(ws.NewCloseFrameBody(ws.StatusNormalClosure, "")))
		if _, err := c.Write(append(ws.MustCompileFrame(text), ws.MustCompileFrame(goodbye)...)); err != nil {
			t.Fatal(err)
		}
		c.Close()
		equal(t, "the command", testkit.Receive(t, commands).CorrelationId, id)
	}
}
