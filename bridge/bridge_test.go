package bridge_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/gobwas/ws/wsutil"
	amqp "github.com/rabbitmq/amqp091-go"

	"github.com/clu-ws/clu-ws/actor"
	"github.com/clu-ws/clu-ws/bridge"
	"github.com/clu-ws/clu-ws/internal/testkit"
)

func TestAReplyThatCannotBeReadNeverStopsTheNext(t *testing.T) {
	onEachBroker(t, func(t *testing.T, url string) {
		b := linked(t, url)
		c := dial(t, b.addr)
		p := newPeer(t, url)
		for name, body := range map[string]string{
			"empty":     "",
			"blank":     " \n",
			"truncated": `{"a": [1, 2`,
			"not UTF-8": "{\"a\": \"\xff\xfe\"}",
			"two":       `{"a": 1} {"b": 2}`,
			"NaN name":  `{"a": nan}`,
			"10 MB":     `{"a": "` + strings.Repeat("x", 10<<20),
		} {
			p.reply(body)
			p.reply(fmt.Sprintf("{%q: 1}", name))
			if got := c.next()["body"]; fmt.Sprint(got) != fmt.Sprintf("map[%s:1]", name) {
				t.Fatalf("after a body that is %s came %v", name, got)
			}
		}
		big := strings.Repeat("x", 10<<20)
		p.reply(`{"big": "` + big + `"}`)
		p.reply(`{"after": 1}`)
		if got := len(c.text()); got < len(big) {
			t.Fatalf("a good body of 10 MB arrived as %d bytes", got)
		}
		equal(t, "the reply after it", fmt.Sprint(c.next()["body"]), "map[after:1]")
		_, text := b.admin(t, "/healthz")
		health := parseEnvelope(t, []byte(text))
		equal(t, "the count of dropped messages", fmt.Sprint(health["dropped"]), fmt.Sprint(map[string]any{string(actor.ErrNoBody): 2., string(actor.ErrNotJSON): 4., string(actor.ErrNotUTF8): 1.}))
	})
}

func TestOddHeadersBecomeJSON(t *testing.T) {
	onEachBroker(t, func(t *testing.T, url string) {
		b := linked(t, url)
		c := dial(t, b.addr)
		newPeer(t, url).publish("reply.broadcast", amqp.Publishing{
			Headers: amqp.Table{
				"message_code": "i",
				"bytes":        []byte{0, 1, 0xff},
				"decimal":      amqp.Decimal{Scale: 2, Value: 1234},
				"time":         time.Unix(1685042705, 0),
				"list":         []any{int32(1), "two", amqp.Table{"three": nil}},
			},
			Body: []byte("1"),
		})
		headers := c.next()["headers"].(map[string]any)
		equal(t, "headers", fmt.Sprint(headers), "map[bytes:AAH/ decimal:12.34 list:[1 two map[three:<nil>]] message_code:i time:2023-05-25T19:25:05+00:00]")
	})
}

// badInput holds messages that a client may send by mistake, and the text that the answer must
// contain.
var badInput = []struct{ name, text, commandID, words string }{
	{"not JSON", `hello`, "", "not JSON"},
	{"half of it", `{"consumer": "dome"`, "", "not JSON"},
	{"nothing", ``, "", "not JSON"},
	{"a list", `["consumer"]`, "", "a list"},
	{"a number", `12`, "", "a number"},
	{"null", `null`, "", "null"},
	{"no consumer", `{"command_string": "ping", "command_id": "mine"}`, "mine", `"consumer"`},
	{"no command_string", `{"consumer": "lvmecp"}`, "", `"command_string"`},
	{"an empty consumer", `{"consumer": "", "command_string": "ping"}`, "", "consumer is empty"},
	{"a long consumer", `{"consumer": "` + strings.Repeat("x", 300) + `", "command_string": "ping"}`, "", "300 bytes"},
	{"a consumer that is a number", `{"consumer": 5, "command_string": "ping"}`, "", "a number"},
	{"a command_string that is a list", `{"consumer": "lvmecp", "command_string": ["ping"]}`, "", "a list"},
	{"a command_id that is a number", `{"consumer": "lvmecp", "command_string": "ping", "command_id": 5}`, "", "a number"},
	{"a command_id that is a boolean", `{"consumer": "lvmecp", "command_string": "ping", "command_id": true}`, "", "a boolean"},
	{"a command_id that is a list", `{"consumer": "lvmecp", "command_string": "ping", "command_id": ["a"]}`, "", "a list"},
	{"a command_id that is an object", `{"consumer": "lvmecp", "command_string": "ping", "command_id": {}}`, "", "an object"},
	{"a long command_id", `{"consumer": "lvmecp", "command_string": "ping", "command_id": "` + strings.Repeat("x", 300) + `"}`, "", "300 bytes"},
}

func TestBadInputIsExplainedToTheSenderAlone(t *testing.T) {
	onEachBroker(t, func(t *testing.T, url string) {
		b := linked(t, url, func(c *bridge.Config) { c.Name = "bridge" })
		sender, other := dial(t, b.addr), dial(t, b.addr)
		p := newPeer(t, url)
		commands := p.hear("command.#")
		for _, bad := range badInput {
			sender.say(bad.text)
			e := sender.next()
			if !strings.Contains(e.errorText(), bad.words) {
				t.Errorf("%s: answered %q, which does not speak of %q", bad.name, e.errorText(), bad.words)
			}
			var id any
			if bad.commandID != "" {
				id = bad.commandID
			}
			headers := map[string]any{"command_id": id, "commander_id": nil, "internal": false, "message_code": "f", "sender": "bridge"}
			equal(t, bad.name+": headers", e["headers"], headers)
			equal(t, bad.name+": routing", []any{e["exchange"], e["message_id"], e["routing_key"]}, []any{"", nil, "reply.bridge"})
		}
		// The connection stays, no command was sent, and no other client got anything.
		sender.say(`{"consumer": "lvmecp", "command_string": "ping", "command_id": "good"}`)
		if d := testkit.Receive(t, commands); d.CorrelationId != "good" {
			t.Errorf("command %q left", d.CorrelationId)
		}
		p.reply(`{"last": 1}`)
		equal(t, "what the other client heard", fmt.Sprint(other.next()["body"]), "map[last:1]")
	})
}

func TestStrictModeIgnoresBadInputInSilence(t *testing.T) {
	url := embeddedBroker(t)
	b := linked(t, url, func(c *bridge.Config) { c.Strict = true })
	sender := dial(t, b.addr)
	p := newPeer(t, url)
	commands := p.hear("command.#")
	for _, bad := range badInput {
		sender.say(bad.text)
	}
	sender.say(`ping`)
	sender.say(`{"consumer": "lvmecp", "command_string": "ping", "command_id": "good"}`)
	if d := testkit.Receive(t, commands); d.CorrelationId != "good" {
		t.Errorf("command %q left", d.CorrelationId)
	}
	p.reply(`{"first": 1}`)
	equal(t, "the first thing the client heard", fmt.Sprint(sender.next()["body"]), "map[first:1]")
}

func TestABarePingIsAnswered(t *testing.T) {
	b := startBridge(t, embeddedBroker(t))
	c := dial(t, b.addr)
	c.say("ping")
	equal(t, "the answer", string(c.text()), "pong")
}

func TestAnUnroutableCommandFailsForEveryone(t *testing.T) {
	onEachBroker(t, func(t *testing.T, url string) {
		b := linked(t, url, func(c *bridge.Config) { c.Name = "bridge" })
		sender, other := dial(t, b.addr), dial(t, b.addr)
		heard := newPeer(t, url).hear("reply.#")
		sender.say(`{"consumer": "nobody", "command_string": "ping", "command_id": "n"}`)
		want := "Failed routing message to consumer 'nobody'."
		for _, c := range []*client{sender, other} {
			e := c.next()
			equal(t, "error", e.errorText(), want)
			equal(t, "headers", e["headers"], map[string]any{"command_id": "n", "commander_id": "bridge.nobody",
				"internal": false, "message_code": "f", "sender": "nobody", "write_to_log": true})
			equal(t, "timestamp", e["timestamp"], nil)
		}
		d := testkit.Receive(t, heard)
		equal(t, "what the exchange heard", []string{d.RoutingKey, string(d.Body)}, []string{"reply.bridge", `{"error":"` + want + `"}`})
	})
}

func TestATapDoesNotHideThatACommandIsUnroutable(t *testing.T) {
	onEachBroker(t, func(t *testing.T, url string) {
		b := linked(t, url, func(c *bridge.Config) { c.CheckConsumers = true })
		p := newPeer(t, url)
		tap := p.hear("command.#")
		if _, err := p.ch.QueueDeclare(actor.CommandsQueue("lvmecp"), false, false, true, false, nil); err != nil {
			t.Fatal(err)
		}
		c := dial(t, b.addr)
		for _, consumer := range []string{"nobody", "lvmecp.part", "lvmecp"} {
			c.say(fmt.Sprintf(`{"consumer": %q, "command_string": "ping", "command_id": %[1]q}`, consumer))
		}
		e := c.next()
		equal(t, "what failed", []any{e.header("command_id"), e.errorText()}, []any{"nobody", "Failed routing message to consumer 'nobody'."})
		for _, want := range []string{"lvmecp.part", "lvmecp"} {
			equal(t, "what the tap heard", testkit.Receive(t, tap).CorrelationId, want)
		}
		c.say("ping")
		equal(t, "what comes after the failure", string(c.text()), "pong")
	})
}

func TestAnUnroutableCommandFailsAloneAmongHundredsInFlight(t *testing.T) {
	onEachBroker(t, func(t *testing.T, url string) {
		b := linked(t, url)
		commands := newPeer(t, url).hear("command.lvmecp.#")
		c := dial(t, b.addr)
		const n = 200
		for i := range n {
			c.say(fmt.Sprintf(`{"consumer": %q, "command_string": "go", "command_id": "%d"}`, []string{"lvmecp", "nobody"}[i%2], i))
		}
		failed := map[any]int{}
		for range n / 2 {
			e := c.next()
			failed[e.header("command_id")]++
			equal(t, "error", e.errorText(), "Failed routing message to consumer 'nobody'.")
		}
		for i := range n {
			if want := i % 2; failed[fmt.Sprint(i)] != want {
				t.Errorf("command %d failed %d times, want %d", i, failed[fmt.Sprint(i)], want)
			}
			if i%2 == 0 {
				equal(t, "the command that arrived", testkit.Receive(t, commands).CorrelationId, fmt.Sprint(i))
			}
		}
		c.say("ping")
		equal(t, "what comes after the failures", string(c.text()), "pong")
	})
}

func TestCommandsOfOneClientKeepTheirOrder(t *testing.T) {
	onEachBroker(t, func(t *testing.T, url string) {
		b := linked(t, url)
		commands := newPeer(t, url).hear("command.lvmecp.#")
		c := dial(t, b.addr)
		const n, burst = 500, 50 // so few that none waits for long on a busy machine: late ones are not sent
		for from := 0; from < n; from += burst {
			for i := from; i < from+burst; i++ {
				c.say(fmt.Sprintf(`{"consumer": "lvmecp", "command_string": "%d", "command_id": "%d"}`, i, i))
			}
			for i := from; i < from+burst; i++ {
				if d := testkit.Receive(t, commands); d.CorrelationId != fmt.Sprint(i) {
					t.Fatalf("command %s came in place of %d", d.CorrelationId, i)
				}
			}
		}
	})
}

func TestWithoutABrokerCommandsFailAtOnceAndAreNotKept(t *testing.T) {
	b := startBridge(t, "amqp://guest:guest@127.0.0.1:1/")
	if s := testkit.Receive(t, b.states); s.Up || !strings.Contains(s.Err.Error(), "is the broker running?") {
		t.Errorf("the state is %+v", s)
	}
	c := dial(t, b.addr)
	c.say(`{"consumer": "lvmecp", "command_string": "ping", "command_id": "lost"}`)
	e := c.next()
	if e.code() != actor.Failed || e.header("command_id") != "lost" || !strings.Contains(e.errorText(), "was not sent") {
		t.Errorf("answered %v", e)
	}
	for path, want := range map[string]int{"/healthz": 200, "/readyz": 503} {
		status, _ := b.health(t, path)
		equal(t, path, status, want)
	}
}

func TestClientsStayThroughABrokersRestart(t *testing.T) {
	t.Parallel()
	n := testkit.StartRabbitMQ(t)
	b := linked(t, n.URL())
	c := dial(t, b.addr)
	n.Stop(t)
	if s := testkit.Receive(t, b.states); s.Up {
		t.Fatalf("the state is %+v", s)
	}
	c.say(`{"consumer": "lvmecp", "command_string": "open", "command_id": "lost"}`)
	if e := c.next(); e.header("command_id") != "lost" || !strings.Contains(e.errorText(), "was not sent") {
		t.Errorf("answered %v", e)
	}
	n.Start(t)
	b.awaitUp(t)
	c.say(`{"consumer": "nobody", "command_string": "ping", "command_id": "n"}`)
	equal(t, "the reply after the restart", c.next().header("command_id"), any("n"))
}

func TestACommandToAStalledBrokerIsUnknown(t *testing.T) {
	n := testkit.StartRabbitMQ(t)
	b := linked(t, n.URL(), bridge.Hurried)
	c := dial(t, b.addr)
	n.Pause(t)
	sent := time.Now()
	c.say(`{"consumer": "lvmecp", "command_string": "open", "command_id": "open"}`)
	if e := c.next(); e.header("command_id") != "open" || !strings.Contains(e.errorText(), "It is unknown whether") {
		t.Errorf("answered %v", e)
	}
	if took := time.Since(sent); took > 10*time.Second { // the heartbeat would end the link after 15 s
		t.Errorf("it took %v", took)
	}
	status, health := b.health(t, "/readyz")
	equal(t, "readiness of a bridge whose broker stalls", []any{status, health["broker"]}, []any{503, "stalled"})
	n.Resume(t)
	testkit.Eventually(t, testkit.Patience, "the confirm that is late", func() error {
		if status, health := b.health(t, "/readyz"); status != http.StatusOK {
			return fmt.Errorf("%v", health)
		}
		return nil
	})
}

func TestACommandToABrokerShortOfMemoryIsRefusedWithTheReason(t *testing.T) {
	t.Parallel()
	n := testkit.StartRabbitMQ(t)
	b := linked(t, n.URL(), bridge.Hurried)
	c := dial(t, b.addr)
	n.SetMemoryAlarm(t, true)
	// The broker blocks a connection when it publishes.
	c.say(`{"consumer": "lvmecp", "command_string": "open", "command_id": "first"}`)
	for s := testkit.Receive(t, b.states); s.Blocked == ""; s = testkit.Receive(t, b.states) {
	}
	c.say(`{"consumer": "lvmecp", "command_string": "open", "command_id": "second"}`)
	for e := c.next(); ; e = c.next() {
		if e.header("command_id") != "second" {
			continue // the outcome of the first
		}
		if !strings.Contains(e.errorText(), "was not sent: the broker blocks") {
			t.Errorf("answered %v", e)
		}
		break
	}
	status, health := b.health(t, "/readyz")
	equal(t, "readiness of a bridge whose broker blocks", []any{status, health["broker"]}, []any{503, "blocked"})
}

func TestASecondBridgeOfTheSameNameFailsWithTheReason(t *testing.T) {
	onEachBroker(t, func(t *testing.T, url string) {
		named := func(c *bridge.Config) { c.Name = "twin" }
		linked(t, url, named)
		second := startBridge(t, url, named)
		if s := second.firstState(t); s.Up || !strings.Contains(s.Err.Error(), `another program named "twin"`) {
			t.Errorf("the state is %+v", s)
		}
	})
}

func TestWrongCredentialsAndHostsAreNamedWithoutThePassword(t *testing.T) {
	url := embeddedBroker(t)
	host := strings.TrimPrefix(url, "amqp://guest:guest@")
	for _, c := range []struct{ url, words string }{
		{"amqp://guest:sesame@" + host, `refused user "guest"`},
		{"amqp://guest:guest@" + host + "missing", `no virtual host "missing"`},
		{"amqps://guest:guest@" + host, "does not speak TLS"},
	} {
		b := startBridge(t, c.url)
		s := b.firstState(t)
		if s.Up || !strings.Contains(s.Err.Error(), c.words) || strings.Contains(s.Err.Error(), "sesame") {
			t.Errorf("%s: %v", c.words, s.Err)
		}
	}
}

func TestABinaryCommandIsACommand(t *testing.T) {
	url := embeddedBroker(t)
	b := linked(t, url)
	commands := newPeer(t, url).hear("command.#")
	c := dial(t, b.addr)
	if err := wsutil.WriteClientBinary(c.Conn, []byte(`{"consumer":"lvmecp","command_string":"ping","command_id":"bin"}`)); err != nil {
		t.Fatal(err)
	}
	equal(t, "the command", testkit.Receive(t, commands).CorrelationId, "bin")
}
