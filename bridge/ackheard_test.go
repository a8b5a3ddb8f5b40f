package bridge

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/clu-ws/clu-ws/amqpx"
	"github.com/clu-ws/clu-ws/bridge/access"
	"github.com/clu-ws/clu-ws/bridge/filter"
	"github.com/clu-ws/clu-ws/bridge/problem"
)

// An acknowledgement is a reply of a bridge, but it tells of another actor: that this one has problems,
// the keywords that they are about, and who acknowledged them.
func TestAnAcknowledgementIsNotHeardByThoseFromWhomItsActorIsHidden(t *testing.T) {
	h := newAccessHarness(t, func(c *access.Config) {
		c.Roles["viewer"] = json.RawMessage(`{"hear": [{}], "hide": [{"sender": "mirror", "keyword": "secret*"}]}`)
	})
	ack := func(actor string) {
		a := problem.Ack{Actor: actor, Keys: []string{"limit:" + actor + ".secret_temp"}, By: "eng"}
		m := h.ackMessage(&a)
		h.deliver(&amqpx.Delivery{Headers: m.Headers, RoutingKey: m.Key, MessageId: m.MessageId, Timestamp: m.Timestamp, Body: m.Body}, false)
	}
	for _, d := range hearingDoors {
		if strings.Contains(d.name, "snapshot") || d.name == "actors" || strings.Contains(d.name, "sender") || strings.Contains(d.name, "keyword") || d.name == "a throttled one" {
			continue // acknowledgements are in none of these, or not at once
		}
		for _, who := range []string{"eve", "eng"} {
			ack("mirror")
			ack("dome")
			heard := h.hearsAt(d, who, `"body": {}`, func() {
				ack("mirror")
				ack("dome")
				h.saysAll(filter.Reply{Sender: "last", Code: "i"}, `{}`, 0)
			})
			if got, want := strings.Contains(heard, "limit:mirror"), who == "eng"; got != want {
				t.Errorf("%s: %s hears of the mirror: %v\n%s", d.name, who, got, heard)
			}
			if !strings.Contains(heard, "limit:dome") {
				t.Errorf("%s: %s does not hear of the dome: %s", d.name, who, heard)
			}
		}
	}
}
