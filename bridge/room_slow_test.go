package bridge_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/gobwas/ws/wsutil"

	"github.com/clu-ws/clu-ws/bridge"
	"github.com/clu-ws/clu-ws/bridge/dialect"
)

// With SkipSlow, a page that reads too slowly is told so if it knows the word for that; another system's is closed, as
// its protocol has none. Until then each is counted where it belongs.
func TestASlowPageOfAnotherSystemIsToldOrClosed(t *testing.T) {
	t.Parallel()
	url := embeddedBroker(t)
	b := linked(t, url, withSystems(t), func(c *bridge.Config) {
		c.SkipSlow, c.Limits.LogBytes, c.RoomHistory = true, 1<<20, 1<<20
		c.Dialects = slices.DeleteFunc(c.Dialects, func(m dialect.Mount) bool { return m.Name != "reddit" })
	}, withSources("exchange=live", "exchange=r,type=fanout,path=/r"))
	b.awaitSources(t, 2)
	p := newBroadcaster(t, url)
	all := systemsOf(p.publish, nil)
	reader := all["reddit"].follow(t, b.addr, "now")
	slow := map[string]*follower{"reddit": all["reddit"].follow(t, b.addr, "now"), "room": all["room"].follow(t, b.addr, "now"), "plain": all["reddit"].follow(t, b.addr, "")}
	other := all["room"].follow(t, b.addr, "now")
	for _, f := range []*follower{reader, slow["reddit"], slow["room"], other} {
		f.answered("")
	}
	for _, want := range []string{`cluws_clients{protocol="clu"} 0`, `cluws_clients{protocol="reddit"} 3`, `cluws_clients{protocol="room"} 2`, "cluws_rooms 1"} {
		if text := b.metrics(t); !strings.Contains(text, want) {
			t.Errorf("the metrics have no %s", want)
		}
	}
	body := fmt.Sprintf("%q", strings.Repeat("x", 100_000))
	for range 150 {
		p.publish("r", "/r/x", body)
		p.publish("live", "/live/x", body)
		reader.anyText()
		other.anyText()
	}
	for name, f := range slow {
		var last map[string]any
		for last["op"] != "dropped" {
			data, err := f.anyData()
			if err != nil {
				last = map[string]any{"closed": err}
				break
			}
			last = nil
			_ = json.Unmarshal(data, &last) // a message may be another kind of text
		}
		var closed wsutil.ClosedError
		if err, _ := last["closed"].(error); errors.As(err, &closed) != (name == "plain") || name == "plain" && closed.Code != 1008 {
			t.Errorf("%s: in the end it gets %v", name, last)
		}
	}
}
