package bridge_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/gobwas/ws"
	"github.com/gobwas/ws/wsutil"
	amqp "github.com/rabbitmq/amqp091-go"

	"github.com/clu-ws/clu-ws/bridge"
	"github.com/clu-ws/clu-ws/internal/testkit"
)

const publishesLive = `{"hear": [{}], "rooms": ["/live/**"], "publish": ["/live/x"]}`

func TestAClientPublishesToARoomWhereThatIsGranted(t *testing.T) {
	onEachBroker(t, func(t *testing.T, url string) {
		g := guard(t, url, map[string]string{"ana": publishesLive, "eve": onlyHears}, withSources("exchange=live"))
		g.awaitSources(t, 1)
		room, ana := g.as("ana", "/live/x"), g.v1("ana")
		live := hearExchange(t, url, "live")
		for _, c := range []struct{ fields, want, kind string }{
			{`"body": {"a": [1, "é"]}`, `{"a":[1,"é"]}`, "application/json"},
			{`"body": "text"`, `"text"`, "application/json"},
			{`"text": "a <b>"`, `a <b>`, "text/plain; charset=utf-8"},
			{`"body": 1, "exchange": "live"`, `1`, "application/json"},
		} {
			ana.say(`{"op": "publish", "id": "p", "path": "/live/x", ` + c.fields + `}`)
			if m := ana.answer("ok", "error"); m["op"] != "ok" || m["id"] != "p" {
				t.Fatalf("%s is answered with %v", c.fields, m)
			}
			if got := string(room.text()); got != c.want {
				t.Errorf("%s: the room hears %s", c.fields, got)
			}
			d := testkit.Receive(t, live)
			equal(t, c.fields, []any{d.RoutingKey, d.ContentType, d.Headers["user"]}, []any{"/live/x", c.kind, "ana"})
		}
		for message, words := range map[string]string{
			`"path": "/live/y", "body": 1`:                   "forbidden you may not publish to the room",
			`"path": "/live", "body": 1`:                     "forbidden you may not publish to the room",
			`"path": "/live/x", "path": "/live/y", "body":1`: "forbidden you may not publish to the room",
			`"path": "/other", "body": 1`:                    "bad_request there is no room",
			`"path": "/live/x"`:                              "bad_request give either",
			`"path": "/live/x", "text": 1`:                   "bad_request \"text\" is",
			`"path": "/live/x", "body": 1, "exchange": "no"`: "bad_request there is no source",
			`"body": 1`: "bad_request",
			`"path": "/live/x", "body": 1, "order": "a"`: `bad_request "order" is`,
		} {
			ana.say(`{"op": "publish", "id": "p", ` + message + `}`)
			m := ana.answer("ok", "error")
			if got := fmt.Sprint(m["code"], " ", m["message"]); !strings.HasPrefix(got, words) || m["id"] != "p" {
				t.Errorf("%s is answered with %v", message, m)
			}
		}
	})
}

// hearExchange consumes all messages of a topic exchange.
func hearExchange(t *testing.T, url, exchange string) <-chan amqp.Delivery {
	t.Helper()
	ch := testkit.OpenChannel(t, url)
	q, err := ch.QueueDeclare("", false, false, true, false, nil)
	if err == nil {
		err = ch.QueueBind(q.Name, "#", exchange, false, nil)
	}
	if err != nil {
		t.Fatal(err)
	}
	deliveries, err := ch.Consume(q.Name, "", true, true, false, false, nil)
	if err != nil {
		t.Fatal(err)
	}
	return deliveries
}

// A message that is not published is told, with what happened to it.
func TestAMessageForARoomIsNeverLostSilently(t *testing.T) {
	br, url := serveBroker(t)
	g := guard(t, url, map[string]string{"ana": publishesLive}, withSources("exchange=live"))
	g.awaitSources(t, 1)
	ana := g.v1("ana")
	br.Close()
	ana.answer("broker")
	testkit.Eventually(t, testkit.Patience, "the link of the rooms is away", func() error {
		ana.say(`{"op": "publish", "id": "p", "path": "/live/x", "body": 1}`)
		if m := ana.answer("ok", "error"); m["code"] != "away" || !strings.Contains(fmt.Sprint(m["message"]), "was not published") {
			return fmt.Errorf("it is answered with %v", m)
		}
		return nil
	})
}

func TestWithoutAccessControlNoClientPublishes(t *testing.T) {
	b := linked(t, embeddedBroker(t), withSources("exchange=live"), func(c *bridge.Config) { c.ListClients = true })
	c, _ := dialV1(t, b.addr, "/")
	c.say(`{"op": "publish", "id": "p", "path": "/live/x", "body": 1}`)
	if m := c.answer("ok", "error"); m["code"] != "forbidden" {
		t.Errorf("it is answered with %v", m)
	}
}

// What a client has published when it says goodbye has its answer before the close frame.
func TestAPublishedMessageIsAnsweredBeforeTheClose(t *testing.T) {
	g := guard(t, embeddedBroker(t), map[string]string{"ana": publishesLive}, withSources("exchange=live"))
	g.awaitSources(t, 1)
	ana := g.v1("ana")
	ana.say(`{"op": "publish", "id": "p", "path": "/live/x", "body": 1}`)
	if err := wsutil.WriteClientMessage(ana.Conn, ws.OpClose, ws.NewCloseFrameBody(1000, "")); err != nil {
		t.Fatal(err)
	}
	if m := ana.answer("ok", "error"); m["op"] != "ok" {
		t.Errorf("it is answered with %v", m)
	}
}

func TestAMessageOfARoomHasThePlaceThatItsPublisherGivesIt(t *testing.T) {
	url := embeddedBroker(t)
	g := guard(t, url, map[string]string{"ana": publishesLive}, withSources("exchange=live"))
	g.awaitSources(t, 1)
	room, ana, p := g.as("ana", "/live/x"), g.v1("ana"), newBroadcaster(t, url)
	publish := func(text, fields string) {
		t.Helper()
		ana.say(fmt.Sprintf(`{"op": "publish", "path": "/live/x", "text": %q%s}`, text, fields))
		ana.answer("ok")
	}
	publish("2", `, "order": 2, "order_key": "k"`)
	publish("1 is too old", `, "order": 1, "order_key": "k"`)
	publish("1 of another key", `, "order": 1, "order_key": "l"`)
	if err := p.ch.Publish("live", "/live/x", false, false, amqp.Publishing{Headers: amqp.Table{"order": int32(1), "order_key": "k"}, Body: []byte("too old too")}); err != nil {
		t.Fatal(err)
	}
	if w, m := g.post("ana", "/api/publish", `{"path": "/live/x", "text": "3", "order": 3, "order_key": "k"}`); w.Code != 202 {
		t.Fatalf("%d %v", w.Code, m)
	}
	publish("a", `, "throttle": 5, "throttle_key": "t"`)
	publish("b is replaced", `, "throttle": 5, "throttle_key": "t"`)
	publish("c", `, "throttle": 5, "throttle_key": "t"`)
	for _, want := range []string{"2", "1 of another key", "3", "a", "c"} {
		equal(t, "the room hears", string(room.text()), want)
	}
}
