package bridge

import (
	"testing"
	"time"

	"github.com/clu-ws/clu-ws/amqpx"
)

// A process that was stopped reads, when it goes on, what the broker sent meanwhile.
func TestWhatWaitedWhileTheProcessStoodStillIsAsOldAsItIs(t *testing.T) {
	s := newHarness(t)
	s.pass(time.Hour)
	l := s.connect()
	deliver := func(key string, ago time.Duration) float64 {
		t.Helper()
		s.deliver(&amqpx.Delivery{
			Headers:    amqpx.Table{"message_code": "i", "sender": "dome", "internal": false},
			RoutingKey: "reply.dome", Timestamp: s.hub.Time().Add(-ago), Body: []byte(`{"` + key + `": 1}`),
		}, false)
		s.tell(l, `{"op": "snapshot"}`)
		keywords := s.await(l, "snapshot")["actors"].(map[string]any)["dome"].(map[string]any)["keywords"].(map[string]any)
		at, err := time.Parse(time.RFC3339Nano, keywords[key].(map[string]any)["time"].(string))
		if err != nil {
			t.Fatal(err)
		}
		return s.hub.Time().Sub(at).Seconds()
	}
	s.paused = func() time.Duration { return 30 * time.Second }
	if age := deliver("waited", 12*time.Second); age != 12 {
		t.Errorf("a reply that was sent 12 s ago is %v s old", age)
	}
	if age := deliver("undated", time.Hour); age < 30 || age > 32 {
		t.Errorf("a reply that came after a pause of 30 s, from an actor whose clock is wrong, is %v s old", age)
	}
	s.paused = func() time.Duration { return 0 }
	if age := deliver("live", 12*time.Second); age != 0 {
		t.Errorf("a live reply is %v s old", age)
	}
}
