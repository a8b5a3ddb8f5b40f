package bridge_test

import (
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"

	"github.com/clu-ws/clu-ws/amqpx/broker"
	"github.com/clu-ws/clu-ws/bridge"
	"github.com/clu-ws/clu-ws/bridge/access"
)

// docHarness is a bridge that can produce everything that docs/protocol.md describes.
type docHarness struct {
	access *docAccess
	t      *testing.T
	b      *running
	p      *peer
	// guarded is a bridge with access control.
	guarded *running
	epoch   string
	heard   map[string][]envelope // by kind
}

func newDocHarness(t *testing.T, url string) *docHarness {
	t.Helper()
	b := linked(t, url, withHistory, func(c *bridge.Config) {
		c.Name, c.Version, c.ListClients, c.Site, c.KeywordHistory = "bridge", "0.1.0", true, docSite(), 1<<20
		c.RoomHistory = 1 << 20
	}, withSources("exchange=live"))
	th := &docHarness{t: t, b: b, p: newPeer(t, url), heard: map[string][]envelope{}, access: newDocAccess(t, url)}
	commands := th.p.hear("command.dome.#")
	acting := make(chan struct{})
	go func() {
		defer close(acting)
		for d := range commands {
			if th.p.tellsModel(d) {
				continue
			}
			for _, code := range []string{">", "i", ":"} {
				_ = th.p.ch.Publish(d.Exchange, "reply.bridge.dome", false, false, domeSays(code, d.Headers["command_id"]))
			}
		}
	}()
	t.Cleanup(func() { th.p.ch.Close(); <-acting })
	th.guard(url)
	observer := th.dial("/")
	th.p.publish("reply.broadcast", domeSays("i", nil))
	th.until(observer, "a reply")
	th.p.publish("reply.broadcast", domeWarns("!", "coolant leak"))
	th.until(observer, "a reply")
	return th
}

func domeSays(code string, commandID any) amqp.Publishing {
	id, _ := commandID.(string)
	return amqp.Publishing{
		Headers:       amqp.Table{"message_code": code, "sender": "dome", "command_id": commandID, "commander_id": "bridge.dome", "internal": false},
		CorrelationId: id, MessageId: "2f1d", Timestamp: time.Now(), Body: []byte(`{"dome_open": true, "dome_az_deg": 101.5}`),
	}
}

// dial connects a v1 client.
func (th *docHarness) dial(target string) *client {
	th.t.Helper()
	c, hello := dialV1(th.t, th.b.addr, target)
	th.epoch = hello["epoch"].(string)
	th.heard["hello"] = append(th.heard["hello"], hello)
	return c
}

// guard starts a bridge with access control, on which anonymous clients may do everything, and an
// application decides about subscriptions.
func (th *docHarness) guard(url string) {
	th.t.Helper()
	app := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, `{"status": "ok", "data": {"title": "Live from the dome"}}`)
	}))
	th.t.Cleanup(app.Close)
	authority, err := access.New(access.Config{
		Roles:     map[string]json.RawMessage{"all": json.RawMessage(`{"hear": [{}], "rooms": ["/**"], "publish": ["/**"], "command": [{}], "clients": true, "admin": true}`)},
		Anonymous: "all",
		Callback:  &access.CallbackConfig{URL: app.URL, Style: "post", Role: "all", Ask: []string{"subscribe"}},
	}, access.Options{Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		th.t.Fatal(err)
	}
	th.guarded = linked(th.t, url, func(c *bridge.Config) { c.Access = authority }, withSources("exchange=live"))
}

// until reads up to a message of a kind. While a command is running, only its last reply counts as a
// reply.
func (th *docHarness) until(c *client, kind string) (all []envelope) {
	th.t.Helper()
	for {
		m := c.next()
		all = append(all, m)
		th.heard[m.kind()] = append(th.heard[m.kind()], m)
		if m.kind() == kind {
			return all
		}
	}
}

// run sends an example, and returns the answers.
func (th *docHarness) run(e example) []envelope {
	th.t.Helper()
	text := theExample.ReplaceAllString(e.text, fmt.Sprintf(`%q, "seq": 1`, th.epoch))
	text = strings.ReplaceAll(text, "5f0c2a9be1d4", th.epoch)
	if e.kind() == "auth" {
		return th.runAuth(text)
	}
	if e.kind() == "a plain command" {
		c := dial(th.t, th.b.addr)
		c.say(text)
		return th.until(c, "a reply")
	}
	c := th.dial("/")
	if e.kind() == "publish" || e.envelope["extra"] != nil {
		c, _ = dialV1(th.t, th.guarded.addr, "/")
	}
	if e.kind() == "unsubscribe" {
		c.say(strings.Replace(text, "unsubscribe", "subscribe", 1))
		th.until(c, "ok")
	}
	c.say(text)
	return th.until(c, requests[e.kind()])
}

// runOthers provokes the messages that do not answer an example.
func (th *docHarness) runOthers(b *broker.Broker) {
	th.t.Helper()
	c := th.dial(fmt.Sprintf("/?since=%s:1", th.epoch))
	th.until(c, "ok")
	c = th.dial("/?since=another:1")
	th.until(c, "ok")
	c = th.dial("/")
	c.say(`{"op": "dance", "id": "a"}`)
	th.until(c, "error")
	th.p.hear("command.mute.#")
	c.say(`{"op": "command", "id": "b", "consumer": "mute", "command_string": "open", "timeout_ms": 1}`)
	th.until(c, "result")
	th.runNotices(c)
	th.changeModel()
	th.changeProblems()
	th.changeSite()
	room := th.runRoom()
	b.DropConnections()
	th.until(c, "gap")
	th.until(room, "gap")
}

// runRoom runs a client that resumes in a room, and returns one that is there.
func (th *docHarness) runRoom() *client {
	th.t.Helper()
	enter := func(place string) *client {
		c := dialWith(th.t, th.b.addr, "/live/x?since="+place)
		th.until(c, "ok")
		return c
	}
	first := enter("now")
	publish := func(body string) {
		if err := th.p.ch.Publish("live", "/live/x", false, false, amqp.Publishing{Body: []byte(body)}); err != nil {
			th.t.Fatal(err)
		}
	}
	publish(`{"dome_open": true}`)
	place := fmt.Sprint(th.until(first, "message")[0]["since"])
	publish("closed for the night")
	th.until(first, "message")
	enter("another:1")
	again := enter(place)
	th.until(again, "message")
	return again
}

// runNotices makes an actor's queue of commands get a consumer.
func (th *docHarness) runNotices(c *client) {
	th.t.Helper()
	c.say(`{"op": "subscribe", "id": "n", "notices": ["actors", "commands"]}`)
	th.until(c, "ok")
	if _, err := th.p.ch.QueueDeclare("dome_commands", false, true, false, false, nil); err != nil {
		th.t.Fatal(err)
	}
	if _, err := th.p.ch.Consume("dome_commands", "dome", true, false, false, false, nil); err != nil {
		th.t.Fatal(err)
	}
	// Before it had one, it may have been told to have none.
	for there := any(false); there != true; {
		all := th.until(c, "actor")
		there = all[len(all)-1]["consumer"]
	}
	c.say(`{"op": "command", "id": "c", "consumer": "dome", "command_string": "open"}`)
	for state := any(""); state != "done"; {
		all := th.until(c, "command_state")
		state = all[len(all)-1]["command"].(map[string]any)["state"]
	}
}

// runAway sends a command while there is no broker.
func (th *docHarness) runAway() {
	th.t.Helper()
	c, _ := dialV1(th.t, startBridge(th.t, "amqp://127.0.0.1:1/").addr, "/")
	c.say(`{"consumer": "dome", "command_string": "open"}`)
	th.until(c, "error")
}

// runSlow runs a client that reads nothing until replies are left out for it.
func (th *docHarness) runSlow(url string) {
	th.t.Helper()
	b := linked(th.t, url, func(c *bridge.Config) { c.SkipSlow, c.Limits.LogBytes = true, 1<<20 })
	p := newPeer(th.t, url)
	c, _ := dialV1(th.t, b.addr, "/")
	good := dial(th.t, b.addr)
	body := fmt.Sprintf(`{"text": %q}`, strings.Repeat("x", 100_000))
	for range 200 {
		p.reply(body)
		good.text()
	}
	th.until(c, "dropped")
}

func serveBroker(t *testing.T) (*broker.Broker, string) {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	b := broker.New(broker.Config{})
	served := make(chan struct{})
	go func() { defer close(served); _ = b.Serve(ln) }()
	t.Cleanup(func() { b.Close(); <-served })
	return b, "amqp://guest:guest@" + ln.Addr().String() + "/"
}
