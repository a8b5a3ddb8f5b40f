package bridge_test

import (
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/clu-ws/clu-ws/bridge"
	"github.com/clu-ws/clu-ws/bridge/access"
	"github.com/clu-ws/clu-ws/internal/testkit"
)

// asking returns a callback that decides about subscriptions and commands, too.
func asking(t *testing.T, answer func(asked envelope) string) *access.CallbackConfig {
	c := application(t, answer)
	c.Ask = []string{"subscribe", "command"}
	return c
}

func TestAnApplicationDecidesAboutEachCommandThatIsGranted(t *testing.T) {
	url := embeddedBroker(t)
	asked := make(chan envelope, 100)
	g := guardWith(t, url, map[string]string{"ana": onlyTheDome}, asking(t, func(e envelope) string {
		asked <- e
		switch e["command_string"] {
		case "close":
			return `{"status": "error", "error": "the dome stays open tonight", "data": {"until": 6}}`
		case "rubbish":
			return `{"status":`
		}
		return `{"status": "ok", "data": {"n": 1}}`
	}))
	commands := newPeer(t, url).hear("command.#")
	ana, plain := g.v1("ana"), g.as("ana", "/")
	for _, c := range []struct{ command, want string }{
		{"open", "ok map[n:1]"}, {"close", "forbidden the dome stays open tonight"}, {"rubbish", "undecided the application that decides"},
	} {
		ana.say(fmt.Sprintf(`{"op": "command", "id": "1", "consumer": "dome", "command_string": %q, "extra": {"seat": 1}}`, c.command))
		m := ana.answer("ok", "error")
		got := fmt.Sprint(m["code"], " ", m["message"])
		if m["op"] == "ok" {
			got = fmt.Sprint("ok ", m["data"])
		}
		if !strings.HasPrefix(got, c.want) || (c.command == "close") != (fmt.Sprint(m["data"]) == "map[until:6]") {
			t.Errorf("%s is answered with %v", c.command, m)
		}
		e := testkit.Receive(t, asked)
		equal(t, "what the application is asked", fmt.Sprint(e["op"], e["name"], e["consumer"], e["command_string"], e["extra"]), "commandanadome"+c.command+"map[seat:1]")
	}
	equal(t, "the command that is sent", string(testkit.Receive(t, commands).Body), `{"command_string":"open"}`)
	plain.say(`{"consumer": "dome", "command_string": "close", "extra": {"seat": 2}}`)
	if m := plain.next(); !strings.Contains(m.errorText(), "stays open") {
		t.Errorf("a plain command is answered with %v", m)
	}
	equal(t, "extra of a plain command", fmt.Sprint(testkit.Receive(t, asked)["extra"]), "map[seat:2]")
	if w, m := g.post("ana", "/api/command", `{"consumer": "dome", "command_string": "close"}`); w.Code != 403 || m["code"] != "forbidden" {
		t.Errorf("a command over HTTP is answered with %d %v", w.Code, m)
	}
	testkit.Receive(t, asked)
	if w, m := g.post("ana", "/api/command", `{"consumer": "dome", "command_string": "open"}`); w.Code != 202 || fmt.Sprint(m["data"]) != "map[n:1]" {
		t.Errorf("a command over HTTP is answered with %d %v", w.Code, m)
	}
	testkit.Receive(t, asked)
	// What the grants refuse is not asked about.
	ana.say(`{"op": "command", "id": "1", "consumer": "mirror", "command_string": "open"}`)
	if m := ana.answer("ok", "error"); m["code"] != "forbidden" || len(asked) > 0 {
		t.Errorf("a command that is not granted is answered with %v, and %d are asked about", m, len(asked))
	}
}

// While an application decides about a command, later messages of its client wait, others do not.
func TestMessagesBehindADecisionWaitInTheirOrder(t *testing.T) {
	url := embeddedBroker(t)
	decide := make(chan struct{})
	release := sync.OnceFunc(func() { close(decide) })
	g := guardWith(t, url, map[string]string{"ana": onlyTheDome, "eng": everything}, asking(t, func(e envelope) string {
		if e["command_string"] == "first" {
			<-decide
		}
		return `{"status": "ok"}`
	}))
	t.Cleanup(release)
	commands := newPeer(t, url).hear("command.#")
	ana, eng := g.v1("ana"), g.v1("eng")
	ana.say(`{"op": "command", "id": "1", "consumer": "dome", "command_string": "first"}`)
	ana.say(`{"consumer": "dome", "command_string": "second"}`)
	ana.say(`{"op": "subscribe", "id": "s"}`)
	ana.say(`{"op": "unsubscribe", "id": "s"}`)
	ana.say(`{"op": "ping", "id": "p"}`)
	eng.say(`{"op": "command", "id": "1", "consumer": "mirror", "command_string": "another"}`)
	eng.answer("ok")
	equal(t, "what is sent meanwhile", string(testkit.Receive(t, commands).Body), `{"command_string":"another"}`)
	release()
	for _, want := range []string{"first", "second"} {
		equal(t, "what is sent then", string(testkit.Receive(t, commands).Body), fmt.Sprintf(`{"command_string":%q}`, want))
	}
	for _, want := range []string{"1", "s", "s", "p"} {
		if m := ana.answer("ok", "error", "pong"); m["id"] != want || m["op"] == "error" {
			t.Errorf("the next answer is %v, want that of %s", m, want)
		}
	}
}

// A command that the application allows too late is not sent.
func TestACommandIsNotSentIfTheDecisionTakesTooLong(t *testing.T) {
	url := embeddedBroker(t)
	held := make(chan struct{})
	g := guardWith(t, url, map[string]string{"ana": onlyTheDome}, asking(t, func(e envelope) string {
		<-held
		return `{"status": "ok"}`
	}), bridge.Hurried)
	t.Cleanup(func() { close(held) })
	ana := g.v1("ana")
	ana.say(`{"op": "command", "id": "1", "consumer": "dome", "command_string": "open", "command_id": "mine"}`)
	if m := ana.answer("ok", "error"); m["code"] != "undecided" || m["command_id"] != "mine" {
		t.Errorf("it is answered with %v", m)
	}
}

func TestAnApplicationDecidesAboutSubscriptionsAndRooms(t *testing.T) {
	g := guardWith(t, embeddedBroker(t), map[string]string{"ana": publishesLive}, asking(t, func(e envelope) string {
		if path := fmt.Sprint(e["path"]); strings.HasSuffix(path, "no") {
			return `{"status": "error", "error": "not this room"}`
		}
		if e["id"] == "url" {
			return `{"status": "error", "error": "not by URL"}`
		}
		return fmt.Sprintf(`{"status": "ok", "data": %q}`, e["path"])
	}), withSources("exchange=live"))
	ana := g.v1("ana")
	for request, want := range map[string]string{
		`"id": "1"`:                                            "ok ",
		`"id": "2", "rooms": ["/live/a"]`:                      "ok /live/a",
		`"id": "3", "rooms": ["/live/a", "/live/b"]`:           "ok map[/live/a:/live/a /live/b:/live/b]",
		`"id": "4", "rooms": ["/live/a", "/live/no"]`:          "forbidden",
		`"id": "5", "rooms": ["/live/a"], "extra": 1`:          "bad_request",
		`"id": "6", "filter": {"sender": "dome"}, "extra": {}`: "ok ",
	} {
		ana.say(`{"op": "subscribe", ` + request + `}`)
		m := ana.answer("ok", "error")
		got := fmt.Sprint(m["code"])
		if m["op"] == "ok" {
			got = fmt.Sprint("ok ", m["data"])
		}
		if got != want {
			t.Errorf("%s is answered with %v, want %s", request, m, want)
		}
	}
	url := g.as("ana", "/?sender=dome")
	url.answer("hello")
	if m := url.answer("ok", "error"); m["code"] != "forbidden" || m["message"] != "not by URL" {
		t.Errorf("a subscription in a URL is answered with %v", m)
	}
	if g.as("ana", "/live/a") == nil || g.statusAt("ana", "/live/no") != 403 {
		t.Error("a room that the application refuses is entered")
	}
}
