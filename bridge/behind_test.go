package bridge_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/gobwas/ws"
)

// The replies to a command come to a client that has asked for them just before, however busy the bridge is.
func TestTheRepliesToACommandComeToTheSubscriptionBeforeIt(t *testing.T) {
	t.Parallel()
	url := embeddedBroker(t)
	b := linked(t, url)
	newPeer(t, url).answering("i", ":")
	for range 30 {
		c, _ := dialV1(t, b.addr, "/?silent=1")
		var packet []byte // all at once
		frame := func(text string) {
			packet = append(packet, ws.MustCompileFrame(ws.MaskFrame(ws.NewTextFrame([]byte(text))))...)
		}
		for n := range 60 { // what the subscription waits for
			frame(fmt.Sprintf(`{"op": "ping", "id": "%d", "data": %q}`, n, strings.Repeat("x", 3000)))
		}
		frame(`{"op": "subscribe", "id": "own", "filter": {"commander": "me"}}`)
		frame(`{"op": "command", "id": "c", "consumer": "x", "command_string": "go"}`)
		if _, err := c.Write(packet); err != nil {
			t.Fatal(err)
		}
		replies := 0
		for m := c.next(); m["op"] != "result"; m = c.next() {
			if m["op"] == nil {
				replies++
			}
		}
		if replies != 2 {
			t.Fatalf("of the replies %d came", replies)
		}
		c.Close()
	}
}
