package bridge_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	amqp "github.com/rabbitmq/amqp091-go"

	"github.com/clu-ws/clu-ws/bridge"
	"github.com/clu-ws/clu-ws/internal/testkit"
)

// from publishes a reply from a sender, with more headers.
func (p *peer) from(sender, code, body string, headers ...any) {
	p.t.Helper()
	table := amqp.Table{"message_code": code, "sender": sender, "command_id": nil, "commander_id": nil, "internal": false}
	for i := 0; i < len(headers); i += 2 {
		table[headers[i].(string)] = headers[i+1]
	}
	id, _ := table["command_id"].(string)
	if id != "" && table["commander_id"] == nil {
		table["commander_id"] = "bridge." + sender
	}
	p.publish("reply.broadcast", amqp.Publishing{Headers: table, CorrelationId: id, Body: []byte(body)})
}

// ask sends a request and returns its answer.
func (c *client) ask(request string) envelope {
	c.t.Helper()
	c.say(request)
	return c.next()
}

// started starts a bridge on an embedded broker, a program on its exchange, and a
// v1 client.
func started(t *testing.T, target string) (*running, *peer, *client) {
	t.Helper()
	url := embeddedBroker(t)
	b := linked(t, url, withHistory, func(c *bridge.Config) { c.Name = "bridge" })
	p := newPeer(t, url)
	c, _ := dialV1(t, b.addr, target)
	return b, p, c
}

func (e envelope) body() string {
	text, _ := json.Marshal(e["body"])
	return string(text)
}

func (c *client) expectBody(want string) {
	c.t.Helper()
	if e := c.next(); e.body() != want {
		c.t.Errorf("got %v, want the body %s", e, want)
	}
}

func TestASubscriptionBringsWhatItsFilterSelectsAndNothingElse(t *testing.T) {
	_, p, c := started(t, "/")
	ok := c.ask(`{"op": "subscribe", "id": "dome", "filter": {"sender": "dome", "keyword": "dome_*"}}`)
	equal(t, "the answer", fmt.Sprint(ok), "map[id:dome op:ok]")
	p.from("mount", "i", `{"dome_open": 1}`)
	p.from("dome", "i", `{"temperature": 1}`)
	p.from("dome", "i", `{"dome_open": 2}`)
	c.expectBody(`{"dome_open":2}`)
	c.ask(`{"op": "subscribe", "id": "all of the mount", "filter": {"sender": ["mount"]}}`)
	p.from("mount", "i", `{"ra": 3}`)
	p.from("camera", "i", `{"x": 3}`)
	p.from("dome", "w", `{"dome_open": 4}`)
	c.expectBody(`{"ra":3}`)
	c.expectBody(`{"dome_open":4}`)
	equal(t, "the end of the first", fmt.Sprint(c.ask(`{"op": "unsubscribe", "id": "dome"}`)), "map[id:dome op:ok]")
	p.from("dome", "w", `{"dome_open": 5}`)
	p.from("mount", "i", `{"ra": 6}`)
	c.expectBody(`{"ra":6}`)
	c.ask(`{"op": "unsubscribe", "id": "all of the mount"}`)
	p.from("mount", "i", `{"ra": 7}`)
	if e := c.ask(`{"op": "unsubscribe", "id": "dome"}`); !strings.Contains(fmt.Sprint(e["message"]), `no subscription "dome"`) {
		t.Errorf("a subscription that is not there: %v", e)
	}
}

func TestAReplyThatTwoSubscriptionsSelectComesOnce(t *testing.T) {
	_, p, c := started(t, "/")
	c.ask(`{"op": "subscribe", "id": "1", "filter": {"sender": "dome"}}`)
	c.ask(`{"op": "subscribe", "id": "2", "filter": {"message_code": "w"}}`)
	p.from("dome", "w", `1`)
	p.from("dome", "i", `2`)
	for _, want := range []string{"1", "2"} {
		c.expectBody(want)
	}
}

func TestTheURLSubscribesFromTheFirstMoment(t *testing.T) {
	b, p, _ := started(t, "/")
	plain := dial(t, b.addr)
	p.from("dome", "i", `{"dome_open": true, "x": 1}`)
	p.from("mount", "i", `{"ra": 1}`)
	plain.next()
	plain.next()
	c := dialWith(t, b.addr, "/?sender=dome&keyword=dome_*&snapshot=1")
	equal(t, "first", c.next()["op"], any("hello"))
	equal(t, "then", fmt.Sprint(c.next()), "map[id:url op:ok]")
	s := c.next()
	equal(t, "the value", s.path("actors", "dome", "keywords", "dome_open", "value"), any(true))
	equal(t, "what it did not ask for", []any{s.path("actors", "mount"), s.path("actors", "dome", "keywords", "x")}, []any{nil, nil})
	p.from("mount", "i", `{"ra": 2}`)
	p.from("dome", "i", `{"dome_open": false}`)
	c.expectBody(`{"dome_open":false}`)
	c.ask(`{"op": "unsubscribe", "id": "url"}`)
}

func TestAWrongSubscriptionIsExplained(t *testing.T) {
	b, _, c := started(t, "/")
	for text, words := range map[string]string{
		`{"op": "subscribe", "id": "x", "filter": {"senders": "a"}}`:                                     `"senders"`,
		`{"op": "subscribe", "id": "x", "filter": {"sender": "a[b"}}`:                                    `a[b`,
		`{"op": "subscribe", "id": "x", "filter": []}`:                                                   `filter`,
		`{"op": "subscribe", "id": "x", "throttle_ms": -1}`:                                              `from 0 to 3600000`,
		`{"op": "subscribe", "id": "x", "throttle_ms": "1"}`:                                             `"throttle_ms" is a string`,
		`{"op": "subscribe", "id": "x", "snapshot": 1}`:                                                  `"snapshot" is a number`,
		`{"op": "command", "id": "x", "consumer": "dome"}`:                                               `"command_string"`,
		`{"op": "command", "id": "x", "consumer": "a", "command_string": "b", "timeout_ms": 1000000000}`: `timeout_ms is 1000000000`,
	} {
		e := c.ask(text)
		if e["op"] != "error" || e["id"] != "x" || e["code"] != "bad_request" || !strings.Contains(fmt.Sprint(e["message"]), words) {
			t.Errorf("%s is answered with %v", text, e)
		}
	}
	for i := range 64 {
		c.ask(fmt.Sprintf(`{"op": "subscribe", "id": "%d"}`, i))
	}
	if e := c.ask(`{"op": "subscribe", "id": "one more"}`); !strings.Contains(fmt.Sprint(e["message"]), "64 subscriptions") {
		t.Errorf("the 65th subscription is answered with %v", e)
	}
	for target, words := range map[string]string{"/?sender=a[b": "a[b", "/?throttle_ms=soon": "throttle_ms=soon", "/?snapshot=please": "snapshot=1"} {
		c, _ := dialV1(t, b.addr, target)
		if e := c.next(); e["op"] != "error" || !strings.Contains(fmt.Sprint(e["message"]), words) {
			t.Errorf("%s is answered with %v", target, e)
		}
	}
}

func TestActorsListsTheActorsThatSentReplies(t *testing.T) {
	_, p, c := started(t, "/")
	p.from("dome", "w", `{"a": 1, "b": 2}`)
	p.from("mount", ":", `{}`)
	c.next()
	c.next()
	e := c.ask(`{"op": "actors", "id": "who"}`)
	list, _ := e["actors"].([]any)
	var got []string
	for _, a := range list {
		m := envelope(a.(map[string]any))
		got = append(got, fmt.Sprint(m["name"], m["code"], m["seq"], m["keywords"]))
	}
	equal(t, "the answer", fmt.Sprint(e["op"], e["id"], got), "actorswho[domew12 mount:20]")
}

func TestACommandAnswersAgainWhenItEnds(t *testing.T) {
	_, p, c := started(t, "/")
	commands := p.hear("command.dome.#")
	ok := c.ask(`{"op": "command", "id": "a", "consumer": "dome", "command_string": "open", "command_id": "mine"}`)
	equal(t, "the answer", fmt.Sprint(ok), "map[command_id:mine id:a op:ok]")
	if e := c.ask(`{"op": "command", "id": "b", "consumer": "dome", "command_string": "open", "command_id": "mine"}`); !strings.Contains(fmt.Sprint(e["message"]), "in flight") {
		t.Errorf("a second one of that id: %v", e)
	}
	testkit.Await(t, commands)
	for _, code := range []string{">", "i", ":"} {
		p.from("dome", code, `{}`, "command_id", "mine")
		equal(t, "a reply", c.next().header("message_code"), any(code))
	}
	r := c.next()
	equal(t, "the result", []any{r["op"], r["id"], r["command_id"], r["status"], fmt.Sprint(r["replies"])}, []any{"result", "a", "mine", "done", "3"})
	c.ask(`{"op": "command", "id": "late", "consumer": "dome", "command_string": "open", "timeout_ms": 30}`)
	r = c.next()
	equal(t, "the result in time", []any{r["op"], r["id"], r["status"]}, []any{"result", "late", "timeout"})
	c.ask(`{"op": "command", "id": "no", "consumer": "nobody", "command_string": "open"}`)
	equal(t, "the reply for all", c.next().header("message_code"), any("f"))
	r = c.next()
	equal(t, "the result of nobody", []any{r["op"], r["id"], r["status"], r["message_code"]}, []any{"result", "no", "failed", "f"})
}

func TestMineSelectsTheRepliesToOnesOwnCommands(t *testing.T) {
	b, p, c := started(t, "/")
	other, _ := dialV1(t, b.addr, "/")
	commands := p.hear("command.dome.#")
	for who, client := range map[string]*client{"a": c, "b": other} {
		client.ask(`{"op": "subscribe", "id": "s", "filter": {"commander": "me"}}`)
		client.say(fmt.Sprintf(`{"consumer": "dome", "command_string": "go", "command_id": %q}`, who))
		testkit.Await(t, commands)
	}
	for _, id := range []string{"a", "b", "c"} {
		p.from("dome", "i", fmt.Sprintf("%q", id), "command_id", id)
		p.from("dome", ":", fmt.Sprintf("%q", id), "command_id", id)
	}
	for who, client := range map[string]*client{"a": c, "b": other} {
		client.expectBody(fmt.Sprintf("%q", who))
		client.expectBody(fmt.Sprintf("%q", who))
		equal(t, "then", client.ask(`{"op": "ping"}`)["op"], any("pong"))
	}
}

func TestRepliesBehindTheTimeoutAreStillMine(t *testing.T) {
	_, p, c := started(t, "/")
	p.hear("command.dome.#")
	c.ask(`{"op": "subscribe", "id": "s", "filter": {"commander": "me"}}`)
	c.ask(`{"op": "command", "id": "c", "consumer": "dome", "command_string": "open", "command_id": "slow", "timeout_ms": 1}`)
	equal(t, "the result", c.next()["status"], any("timeout"))
	for _, code := range []string{"i", ":"} {
		p.from("dome", code, fmt.Sprintf("%q", code), "command_id", "slow")
		c.expectBody(fmt.Sprintf("%q", code))
	}
	p.from("dome", "i", `"not any more"`, "command_id", "slow")
	equal(t, "then", c.ask(`{"op": "ping"}`)["op"], any("pong"))
}

func TestOrderedLeavesOutWhatIsOlderThanWhatCame(t *testing.T) {
	_, p, c := started(t, "/")
	c.ask(`{"op": "subscribe", "id": "s", "ordered": true}`)
	for _, r := range []struct {
		order int64
		key   string
	}{{5, "a"}, {4, "a"}, {1, "b"}, {5, "a"}, {6, "a"}, {0, "b"}, {2, "b"}} {
		p.from("dome", "i", fmt.Sprintf(`"%s%d"`, r.key, r.order), "order", r.order, "order_key", r.key)
	}
	p.from("dome", "i", `"none"`)
	for _, order := range []int64{5, 4} {
		p.from("dome", "i", fmt.Sprintf(`"long%d"`, order), "order", order, "order_key", strings.Repeat("k", 600))
	}
	for _, want := range []string{`"a5"`, `"b1"`, `"a5"`, `"a6"`, `"b2"`, `"none"`, `"long5"`, `"long4"`} {
		c.expectBody(want)
	}
}
