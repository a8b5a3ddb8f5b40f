package bridge

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/clu-ws/clu-ws/bridge/filter"
	"github.com/clu-ws/clu-ws/bridge/hub"
	"github.com/clu-ws/clu-ws/bridge/snapshot"
)

// hearingDoor is a way to hear replies: a URL, and a message to send; %s stands for the epoch of the
// bridge.
type hearingDoor struct{ name, target, message string }

var hearingDoors = []hearingDoor{
	{"the plain stream", "/", ``},
	{"every reply of v1", "/?batch_ms=1", ``},
	{"a subscription", "/?silent=1", `{"op": "subscribe"}`},
	{"a subscription to one sender", "/?silent=1", `{"op": "subscribe", "filter": {"sender": "mirror"}}`},
	{"a throttled one", "/?silent=1", `{"op": "subscribe", "throttle_ms": 1000}`},
	{"a subscription in a URL", "/?sender=*", ``},
	{"a snapshot", "/?silent=1", `{"op": "snapshot"}`},
	{"a subscription with a snapshot", "/?silent=1", `{"op": "subscribe", "snapshot": true}`},
	{"a snapshot in a URL", "/?snapshot=1", ``},
	{"actors", "/?silent=1", `{"op": "actors"}`},
	{"the log", "/?silent=1", `{"op": "log"}`},
	{"the log forwards", "/?silent=1", `{"op": "log", "after": 0, "filter": {"sender": "*"}}`},
	{"the log by keyword", "/?silent=1", `{"op": "log", "filter": {"keyword": "of_*"}}`},
	{"resuming", "/?silent=1", `{"op": "subscribe", "since": {"epoch": "%s", "seq": 1}}`},
	{"resuming in a URL", "/?since=%s:1", ``},
}

// An observer of the dome hears nothing of the mirror, in whatever way it asks.
func TestEveryWayOfHearingAsksWhatAClientMayHear(t *testing.T) {
	h := newDoorHarness(t)
	say := func(sender string) {
		h.saysAll(filter.Reply{Sender: sender, Code: "i"}, fmt.Sprintf(`{"of_%s": "%s"}`, sender, sender), 0)
	}
	say("dome")
	for _, d := range hearingDoors {
		for _, who := range doorPrincipals[1:] {
			say("mirror")
			// Everybody hears of the dome, after what the mirror said.
			heard := h.hearsAt(d, who, "of_dome", func() { say("mirror"); say("dome") })
			if got, want := strings.Contains(heard, "mirror"), who != "ana"; got != want {
				t.Errorf("%s: %q hears of the mirror: %v\n%s", d.name, who, got, heard)
			}
		}
	}
}

// hearsAt returns what a principal hears at a door while something is said: until `last` at a door that tells it all, else
// until a ping that follows is answered.
func (h *accessHarness) hearsAt(d hearingDoor, who, last string, say func()) (heard string) {
	fill := func(text string) string { return strings.ReplaceAll(text, "%s", h.hub.Epoch) }
	c := h.open(fill(d.target), h.bearer(who))
	defer c.Close()
	if d.message != "" {
		c.Send(fill(d.message))
	}
	asks := d.target != "/"
	if asks {
		c.Send(`{"op": "ping", "id": "before"}`)
	}
	for asks && !strings.Contains(heard, `"id":"before"`) {
		heard += string(c.Receive())
	}
	say()
	if asks {
		c.Send(`{"op": "ping", "id": "after"}`)
		last = `"id":"after"`
	}
	for !strings.Contains(heard, last) {
		heard += string(c.Receive())
	}
	return heard
}

// Neither do the commands of everybody nor notices tell an observer of the dome of the mirror.
func TestNoNoticeTellsOfWhatAClientMayNotHear(t *testing.T) {
	h := newDoorHarness(t)
	send := func(actor, id, who string) {
		h.hub.CommandSent(hub.SentCommand{CommandKey: hub.CommandKey{ID: id, Consumer: actor}, String: "open " + actor, Client: who, Self: "name " + who})
		for _, code := range []string{">", ":"} {
			h.says(filter.Reply{Sender: actor, Code: code, CommandID: id, Commander: "bridge." + actor, RoutingKey: "reply.bridge." + actor}, 0)
		}
	}
	for range 10 {
		h.pass(time.Second)
		h.says(filter.Reply{Sender: "dome", Code: "i"}, 0)
		h.says(filter.Reply{Sender: "mirror", Code: "i"}, 0)
	}
	for _, who := range doorPrincipals[1:] {
		c := h.open("/?silent=1", h.bearer(who))
		c.Send(`{"op": "subscribe", "id": "n", "notices": ["actors", "commands", "problems", "models", "site"]}`)
		c.Send(`{"op": "ping", "id": "begun"}`)
		heard := ""
		read := func(until string) {
			for !strings.Contains(heard, until) {
				heard += string(c.Receive())
			}
		}
		read(`"id":"begun"`)
		send("mirror", "of-mirror-"+who, "eng")
		send("dome", "of-dome-"+who, "eng")
		for _, is := range []snapshot.Presence{snapshot.Present, snapshot.Absent} {
			h.hub.SetConsumer("mirror", is)
			h.hub.SetConsumer("dome", is)
		}
		c.Send(`{"op": "commands", "id": "c"}`)
		c.Send(`{"op": "actors", "id": "a"}`)
		c.Send(`{"op": "ping", "id": "after"}`)
		read(`"id":"after"`)
		if got, want := strings.Contains(heard, "mirror"), who != "ana"; got != want {
			t.Errorf("%q hears of the mirror: %v\n%s", who, got, heard)
		}
		for _, text := range []string{`"op":"command_state"`, `"op":"actor"`, `"op":"commands"`, "of-dome-" + who} {
			if !strings.Contains(heard, text) {
				t.Errorf("%q hears nothing of %s: %s", who, text, heard)
			}
		}
		c.Close()
	}
}
