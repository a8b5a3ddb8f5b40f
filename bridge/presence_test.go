package bridge_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"

	"github.com/clu-ws/clu-ws/bridge"
	"github.com/clu-ws/clu-ws/internal/testkit"
)

func withPresence(c *bridge.Config) { c.Name, c.Presence = "bridge", "who" }

// hearPresence consumes the messages on the exchange of presence.
func (b *broadcaster) hearPresence() <-chan amqp.Delivery {
	b.t.Helper()
	q, err := b.ch.QueueDeclare("", false, false, true, false, nil)
	if err != nil {
		b.t.Fatal(err)
	}
	if err := b.ch.QueueBind(q.Name, "websocket.*", "who", false, nil); err != nil {
		b.t.Fatal(err)
	}
	deliveries, err := b.ch.Consume(q.Name, "", true, true, false, false, nil)
	if err != nil {
		b.t.Fatal(err)
	}
	return deliveries
}

func (r *running) awaitPresence(t *testing.T) {
	t.Helper()
	testkit.WaitUntil(t, "presence is linked", func() bool { return strings.Contains(r.metrics(t), "cluws_presence_up 1\n") })
}

func TestPresenceTellsWhoConnectsAndLeaves(t *testing.T) {
	onEachBroker(t, func(t *testing.T, url string) {
		b := linked(t, url, withPresence, withSources("exchange=live"), func(c *bridge.Config) { c.Drain.Timeout = time.Second })
		b.awaitPresence(t)
		who := newBroadcaster(t, url).hearPresence()
		next := func(key string) (m map[string]any) {
			d := testkit.Receive(t, who)
			equal(t, "the routing key", d.RoutingKey, key)
			if err := json.Unmarshal(d.Body, &m); err != nil {
				t.Fatalf("%s: %v", d.Body, err)
			}
			return m
		}
		of := func(m map[string]any) string {
			return fmt.Sprintf("%v %v %v %v", m["client"], m["path"], m["protocol"], m["name"])
		}
		plain := dialWith(t, b.addr, "/page")
		m := next("websocket.connect")
		equal(t, "a plain one", of(m), "bridge-1 /page clu bridge")
		equal(t, "its address", m["remote"], any(plain.LocalAddr().String()))
		_, hello := dialV1(t, b.addr, "/")
		m = next("websocket.connect")
		equal(t, "a v1 one", of(m), "bridge-2 / v1 bridge")
		equal(t, "its session", hello["session"], m["client"])
		dialWith(t, b.addr, "/live/x")
		equal(t, "one in a room", of(next("websocket.connect")), "bridge-3 /live/x room bridge")
		plain.Close()
		m = next("websocket.disconnect")
		equal(t, "it left", of(m), "bridge-1 /page clu bridge")
		for _, field := range []string{"time", "code", "reason", "seconds"} {
			if m[field] == nil {
				t.Errorf("there is no %s: %v", field, m)
			}
		}
		ended := b.stop()
		equal(t, "they leave with the bridge", next("websocket.disconnect")["code"], any(1001.0))
		next("websocket.disconnect")
		if err := b.end(t, ended); err != nil {
			t.Error(err)
		}
	})
}

func TestPresenceThatCannotBePublishedIsCounted(t *testing.T) {
	b := startBridge(t, "amqp://127.0.0.1:1/", withPresence)
	dial(t, b.addr).Close()
	testkit.WaitUntil(t, "both messages are counted", func() bool {
		return strings.Contains(b.metrics(t), `cluws_presence_total{outcome="away"} 2`)
	})
}

func TestClientsAreListedWhereThatIsAllowed(t *testing.T) {
	url := embeddedBroker(t)
	b := linked(t, url, withSources("exchange=live"), func(c *bridge.Config) { c.Name, c.ListClients = "bridge", true })
	dialWith(t, b.addr, "/live/x")
	c, hello := dialV1(t, b.addr, "/page?sender=dome")
	if !strings.Contains(fmt.Sprint(hello["capabilities"]), "clients") {
		t.Errorf("the hello is %v", hello)
	}
	c.next() // ok
	answer := c.ask(`{"op": "clients", "id": "a"}`)
	equal(t, "the id", answer["id"], any("a"))
	var got []string
	for _, one := range answer["clients"].([]any) {
		m := one.(map[string]any)
		got = append(got, fmt.Sprintf("%v %v %v %v %v", m["client"], m["path"], m["protocol"], m["name"], m["time"] != nil && m["remote"] != nil))
	}
	slices.Sort(got)
	equal(t, "the clients", got, []string{"bridge-1 /live/x room bridge true", "bridge-2 /page v1 bridge true"})
}

func TestClientsAreNotListedElsewhere(t *testing.T) {
	_, _, c := started(t, "/")
	answer := c.ask(`{"op": "clients", "id": "a"}`)
	equal(t, "the answer", fmt.Sprintf("%v %v %v", answer["op"], answer["id"], answer["code"]), "error a forbidden")
}
