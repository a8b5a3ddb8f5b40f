package bridge_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"testing"

	"github.com/clu-ws/clu-ws/bridge"
	"github.com/clu-ws/clu-ws/internal/testkit"
)

func TestPresenceAndTheListOfClientsNameTheUser(t *testing.T) {
	url := embeddedBroker(t)
	g := guard(t, url, map[string]string{"ana": onlyHears, "eng": everything}, withPresence)
	g.awaitPresence(t)
	who := newBroadcaster(t, url).hearPresence()
	ana := g.as("ana", "/")
	for _, key := range []string{"websocket.connect", "websocket.disconnect"} {
		var m map[string]any
		d := testkit.Receive(t, who)
		if err := json.Unmarshal(d.Body, &m); err != nil || d.RoutingKey != key || m["user"] != "ana" {
			t.Errorf("%s tells %s (%v)", d.RoutingKey, d.Body, err)
		}
		if key == "websocket.connect" {
			eng := g.v1("eng")
			testkit.Receive(t, who)
			eng.say(`{"op": "clients", "id": "c"}`)
			clients, _ := eng.answer("clients")["clients"].([]any)
			users := map[any]bool{}
			for _, c := range clients {
				users[c.(map[string]any)["user"]] = true
			}
			equal(t, "the users that are listed", users, map[any]bool{"ana": true, "eng": true})
			ana.Close()
		}
	}
}

// doInRooms subscribes, connects, publishes and leaves. It calls a function before what may be done
// changes: an event whose request is under way then is told again.
func (g *guarded) doInRooms(beforeChange func()) {
	g.t.Helper()
	ana, room := g.v1("ana"), g.as("ana", "/live/x/y")
	step := func(request string) {
		g.t.Helper()
		ana.say(request)
		if m := ana.answer("ok", "error"); m["op"] != "ok" {
			g.t.Fatalf("%s is answered with %v", request, m)
		}
	}
	step(`{"op": "subscribe", "id": "s", "rooms": ["/live/a", "/live/b"]}`)
	step(`{"op": "subscribe", "id": "replies"}`)
	step(`{"op": "publish", "id": "p", "path": "/live/x", "body": {"n": 1}}`)
	room.text()
	step(`{"op": "unsubscribe", "id": "s"}`)
	step(`{"op": "subscribe", "id": "u", "rooms": ["/live/c"]}`)
	beforeChange()
	g.change("ana", `{"hear": [{}], "rooms": ["/live/x/y"], "publish": ["/live/x"]}`) // it loses /live/c
	ana.answer("unsubscribed")
	step(`{"op": "publish", "id": "p", "path": "/live/x", "text": "bye"}`)
	room.Close()
}

// inRooms is what applications are told of doInRooms. The end of the client in a room may come at
// any time after its last message.
var inRooms = []string{
	"subscribe /live/x/y <nil> <nil>",
	"subscribe /live/a s <nil>", "subscribe /live/b s <nil>", "message /live/x <nil> map[n:1]",
	"unsubscribe /live/a s <nil>", "unsubscribe /live/b s <nil>", "subscribe /live/c u <nil>", "unsubscribe /live/c u <nil>",
	"message /live/x <nil> bye", "unsubscribe /live/x/y <nil> <nil>",
}

func TestApplicationsHearOnTheExchangeOfPresenceWhatClientsDoInRooms(t *testing.T) {
	url := embeddedBroker(t)
	g := guard(t, url, map[string]string{"ana": publishesLive}, withPresence, withSources("exchange=live"), func(c *bridge.Config) { c.PresenceRooms = true })
	g.awaitSources(t, 1)
	g.awaitPresence(t)
	who := newBroadcaster(t, url).hearPresence()
	g.doInRooms(func() {})
	for _, want := range inRooms {
		for {
			var m map[string]any
			d := testkit.Receive(t, who)
			if err := json.Unmarshal(d.Body, &m); err != nil {
				t.Fatalf("%s: %v", d.Body, err)
			}
			if m["room"] == nil {
				continue // connects, disconnects
			}
			equal(t, "the event", fmt.Sprintf("%s %v %v %v", d.RoutingKey, m["room"], m["id"], m["body"]), "websocket."+want)
			equal(t, "its user", m["user"], any("ana"))
			break
		}
	}
}

func TestTheCallbackHearsWhatClientsDoInRooms(t *testing.T) {
	events := make(chan envelope, 100)
	callback := application(t, func(e envelope) string { events <- e; return `{"status": "ok"}` })
	callback.Events = []string{"subscribe", "unsubscribe", "message"}
	g := guardWith(t, embeddedBroker(t), map[string]string{"ana": publishesLive}, callback, withSources("exchange=live"))
	g.awaitSources(t, 1)
	hears := func(all []string) {
		for _, want := range all {
			e := testkit.Receive(t, events)
			id := e["id"]
			if id == "" {
				id = nil
			}
			equal(t, "the event", fmt.Sprintf("%v %v %v %v", e["event"], e["path"], id, e["body"]), want)
			equal(t, "its name", e["name"], any("ana"))
		}
	}
	unchanged := slices.Index(inRooms, "subscribe /live/c u <nil>") + 1
	g.doInRooms(func() { hears(inRooms[:unchanged]) })
	hears(inRooms[unchanged:])
}

func TestWithoutPresenceRoomsNothingIsToldOfRooms(t *testing.T) {
	url := embeddedBroker(t)
	g := guard(t, url, map[string]string{"ana": publishesLive}, withPresence, withSources("exchange=live"))
	g.awaitSources(t, 1)
	g.awaitPresence(t)
	who := newBroadcaster(t, url).hearPresence()
	g.doInRooms(func() {})
	for _, want := range []string{"websocket.connect", "websocket.connect", "websocket.disconnect"} {
		equal(t, "the event", testkit.Receive(t, who).RoutingKey, want)
	}
}
