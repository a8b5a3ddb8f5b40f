package bridge_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/clu-ws/clu-ws/bridge/rooms"
	"github.com/clu-ws/clu-ws/internal/testkit"
)

// The exchange is declared as High-templar and its backends declare it: one that differs would refuse
// them.
func TestASourceOfHighTemplarHasItsExchangeAndIsNotStoppedByWhatIsMalformed(t *testing.T) {
	onEachBroker(t, func(t *testing.T, url string) {
		b := linked(t, url, withSources("exchange=hightemplar,format=hightemplar,path=/ht"))
		b.awaitSources(t, 1)
		ch := testkit.OpenChannel(t, url)
		if err := ch.ExchangeDeclare("hightemplar", "direct", false, false, false, false, nil); err != nil {
			t.Fatal(err)
		}
		c, _ := dialV1(t, b.addr, "/")
		if got := c.ask(`{"op": "subscribe", "id": "r", "rooms": ["/ht/animal=$penguin&zoo=1"]}`); got["op"] != "ok" {
			t.Fatal(got)
		}
		p := newBroadcaster(t, url)
		p.publish("hightemplar", "*", `{"rooms": [{"zoo": 1}], "data": "another room"}`)
		p.publish("hightemplar", "other", `{"rooms": [{"zoo": 1, "animal": "penguin"}], "data": "another key"}`)
		p.publish("hightemplar", "*", `not JSON`)
		p.publish("hightemplar", "*", `{"rooms": 1, "data": "no rooms"}`)
		p.publish("hightemplar", "*", `{"data": {"n" : 1}, "rooms": [{"zoo": 1}, {"animal": "penguin", "zoo": 1}]}`)
		if got := string(c.text()); got != `{"n" : 1}` {
			t.Errorf("got %s", got)
		}
		for _, reason := range []rooms.DropReason{rooms.ErrNotJSON, rooms.ErrForm} {
			if want := fmt.Sprintf("cluws_room_messages_dropped_total{reason=%q} 1", reason); !strings.Contains(b.metrics(t), want) {
				t.Errorf("no %s in the metrics", want)
			}
		}
		if got := c.ask(`{"op": "publish", "id": "p", "path": "/ht/zoo=1", "text": "x"}`); got["op"] != "error" || !strings.Contains(fmt.Sprint(got["message"]), "publish them there") {
			t.Errorf("a client that publishes gets %v", got)
		}
	})
}
