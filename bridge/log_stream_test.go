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

// logOf returns the gusts of all pages of the log in a direction, the oldest first, with the gaps among them.
func logOf(c *client, direction string, place any, limit int) (all []string, oldest string) {
	for {
		at := ""
		if place != nil {
			at = fmt.Sprintf(`, %q: %v`, direction, place)
		}
		c.say(fmt.Sprintf(`{"op": "log", "id": "l", "limit": %d, "filter": {"sender": "weather"}%s}`, limit, at))
		answer := c.next()
		for answer["op"] != "log" {
			if answer["op"] == "error" {
				return all, fmt.Sprint(answer["message"])
			}
			answer = c.next()
		}
		var page []string
		for _, e := range answer["entries"].([]any) {
			e := e.(map[string]any)
			if e["op"] == "gap" {
				page = append(page, "gap")
				continue
			}
			page = append(page, fmt.Sprint(e["body"].(map[string]any)["wind"].(map[string]any)["gusts"].([]any)[0]))
		}
		if direction == "before" {
			all = append(page, all...)
		} else {
			all = append(all, page...)
		}
		oldest, place = fmt.Sprint(answer["oldest"]), answer["next"].(json.Number)
		if answer["more"] != true {
			return all, oldest
		}
	}
}

func TestTheLogGoesBackIntoTheStream(t *testing.T) {
	t.Parallel()
	node := testkit.StartRabbitMQ(t)
	stream := func(c *bridge.Config) {
		c.Durable.Stream, c.History.Replies = &bridge.Stream{Bytes: 100 << 20}, 20
	}
	first := linked(t, node.URL(), stream)
	p := &past{peer: newPeer(t, node.URL()), begun: time.Now().Add(-time.Hour)}
	p.say(700)
	p.awaitHeard(dialFor(t, first))
	node.CloseConnections(t)
	first.awaitUp(t)
	p.peer = newPeer(t, node.URL())
	gap := amqp.Publishing{Type: "clu-ws.gap", DeliveryMode: amqp.Persistent, Body: []byte(`{"from": "2026-01-01T12:00:00Z", "to": "2026-01-01T12:01:00Z"}`)}
	if err := p.ch.Publish("", "sdss_exchange_stream", false, false, gap); err != nil { // as another bridge writes it
		t.Fatal(err)
	}
	p.say(700)
	p.checkLog(first)

	second := linked(t, node.URL(), stream) // what was said before it started is there, too
	p.say(10)
	p.checkLog(second)
}

func dialFor(t *testing.T, b *running) *client {
	t.Helper()
	c, _ := dialV1(t, b.addr, "/?silent=1")
	return c
}

// awaitHeard waits until a bridge has heard everything.
func (p *past) awaitHeard(c *client) {
	p.t.Helper()
	testkit.Eventually(p.t, testkit.Patience, "the bridge has heard everything", func() error {
		c.say(`{"op": "log", "id": "l", "limit": 1}`)
		answer := c.next()
		for answer["op"] != "log" {
			answer = c.next()
		}
		if last := fmt.Sprint(answer["entries"]); !strings.Contains(last, fmt.Sprintf("[%d.5]", p.next-1)) {
			return fmt.Errorf("the last reply is %.300s", last)
		}
		return nil
	})
}

// checkLog checks that a bridge's log has everything that was said, and where something may be missing, once.
func (p *past) checkLog(b *running) {
	t := p.t
	t.Helper()
	var want []string
	for n := range p.next {
		want = append(want, fmt.Sprintf("%d.5", n))
	}
	c := dialFor(t, b)
	p.awaitHeard(c)
	for direction, place := range map[string]any{"before": nil, "after": 0} {
		for _, limit := range []int{1000, 130} {
			got, oldest := logOf(c, direction, place, limit)
			gusts := slices.DeleteFunc(slices.Clone(got), func(s string) bool { return s == "gap" })
			if at := slices.Index(got, "gap"); !slices.Equal(gusts, want) || len(got) != len(want)+1 || at != 700 {
				t.Errorf("%s, in pages of %d, the log has %d replies of %d, %d gaps, one after %d replies; oldest is %s", direction, limit, len(gusts), len(want), len(got)-len(gusts), at, oldest)
			}
		}
	}
}
