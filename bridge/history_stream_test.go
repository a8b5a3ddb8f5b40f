package bridge_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"testing"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"

	"github.com/clu-ws/clu-ws/bridge"
	"github.com/clu-ws/clu-ws/internal/testkit"
)

// past publishes numbered replies of a weather station, one for each third of a second.
type past struct {
	*peer
	begun time.Time
	next  int
}

func (p *past) say(n int) {
	p.t.Helper()
	for range n {
		p.publish("reply.broadcast", amqp.Publishing{
			Headers:   amqp.Table{"message_code": "i", "sender": "weather", "command_id": nil, "commander_id": nil, "internal": false},
			Timestamp: p.begun.Add(time.Duration(p.next) * time.Second / 3), DeliveryMode: amqp.Persistent,
			Body: fmt.Appendf(nil, `{"wind": {"gusts": [%d.5]}, "safe": %t}`, p.next, p.next%100 < 50),
		})
		p.next++
	}
}

func TestAfterARestartOnAStreamThePlotHasNoHole(t *testing.T) {
	t.Parallel()
	node := testkit.StartRabbitMQ(t)
	stream := func(c *bridge.Config) {
		c.Durable.Stream, c.History.Replies, c.KeywordHistory = &bridge.Stream{Bytes: 100 << 20}, 50, 16<<20
	}
	first := linked(t, node.URL(), stream)
	p := &past{peer: newPeer(t, node.URL()), begun: time.Now().Add(-800 * time.Second)}
	p.say(1000)
	if err := <-first.stop(); err != nil {
		t.Error(err)
	}
	p.say(700)
	second := linked(t, node.URL(), stream)
	p.say(100)
	p.checkHistory(second)

	third := linked(t, node.URL(), stream)
	node.CloseConnections(t) // while it reads the past
	third.awaitUp(t)
	p.peer = newPeer(t, node.URL())
	p.say(100)
	p.checkHistory(third)
}

// checkHistory waits until a bridge's history has every reply.
func (p *past) checkHistory(b *running) {
	t := p.t
	t.Helper()
	c, _ := dialV1(t, b.addr, "/?silent=1")
	testkit.Eventually(t, testkit.Patience, "the history has every reply", func() error {
		c.say(`{"op": "history", "id": "h", "keywords": ["weather.wind.gusts.0", "weather.safe"], "from": "-20m", "points": 5000}`)
		answer := c.next()
		for answer["op"] != "history" {
			answer = c.next()
		}
		series := answer["series"].([]any)
		gusts, _ := series[0].(map[string]any)["last"].([]any)
		var want []any
		for n := range p.next {
			want = append(want, json.Number(fmt.Sprintf("%d.5", n)))
		}
		if !slices.Equal(gusts, want) {
			return fmt.Errorf("it has %d of %d gusts, from %v on", len(gusts), len(want), append(gusts, nil)[0])
		}
		if safe, _ := series[1].(map[string]any)["t"].([]any); len(safe) != 2*p.next/100 {
			return fmt.Errorf("there are %d changes of safe, not %d", len(safe), 2*p.next/100)
		}
		return nil
	})
}
