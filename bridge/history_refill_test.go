package bridge

import (
	"testing"
	"time"

	"github.com/gobwas/ws"
	amqp "github.com/rabbitmq/amqp091-go"

	"github.com/clu-ws/clu-ws/amqpx"
	"github.com/clu-ws/clu-ws/bridge/filter"
	"github.com/clu-ws/clu-ws/internal/testkit"
)

// A sender's clock may be ahead: what it said before the bridge began is then still older than what the
// bridge has heard, and does not look newer than that in a plot.
func TestAPastWhoseClockIsAheadComesBeforeWhatIsHeardLive(t *testing.T) {
	h := newHarnessWith(t, func(c *Config, _ *testkit.Clock) {
		c.Durable.Stream = &Stream{}
	})
	h.pass(time.Hour)
	h.caughtUp()
	began := h.clock.Now()
	for _, body := range []string{`{"az": 10}`, `{"az": 11}`, `{"az": 10}`} {
		h.pass(10 * time.Second)
		h.saysAll(filter.Reply{Sender: "dome", Code: "i"}, body, 0)
	}
	problems := &pastProblems{tracker: h.problems.Before()}
	for i, at := range []time.Duration{-time.Second, 15 * time.Second, 20 * time.Second} {
		h.notePast(h.refill.past, problems, uint64(i), &amqpx.Delivery{Timestamp: began.Add(at), Body: []byte(`{"az": ` + string(rune('1'+i)) + `}`),
			RoutingKey: "reply.broadcast", Headers: amqp.Table{"sender": "dome", "message_code": "i"}})
	}
	h.notePast(h.refill.past, problems, 3, &amqpx.Delivery{Body: []byte(`{"az": 9}`), RoutingKey: "reply.broadcast", Headers: amqp.Table{"sender": "dome", "message_code": "i"}})
	for !h.refill.past.JoinOne() {
		continue
	}
	c := testkit.DialWebSocketWith(t, ws.Dialer{Protocols: []string{Subprotocol}}, "ws://"+h.addr+"/")
	if got, want := historyOf(t, c, "dome.az"), "number [1,2,3,10,11,10]"; got != want {
		t.Errorf("told %s, want %s", got, want)
	}
}
