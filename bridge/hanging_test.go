package bridge_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/clu-ws/clu-ws/bridge"
	"github.com/clu-ws/clu-ws/internal/testkit"
)

// 395 clients have 256 tracked commands each, the bound of a client, at an actor that hangs, except
// for the last few. Together these are more than may be in flight. Another client must still be
// able to work.
func TestHangingCommandsDoNotKeepOtherClientsFromTheirs(t *testing.T) {
	const clients, each, fewer = 395, 256, 5
	commands := func(client int) int {
		if client >= clients-fewer {
			return each - 50 // a client with as many as any other would be refused
		}
		return each
	}
	all := 0
	url := embeddedBroker(t)
	b := linked(t, url, func(c *bridge.Config) {
		c.Name = "bridge"
		c.Limits.PingAfter = time.Hour // the clients answer no ping until they are read from
	})
	p := newPeer(t, url)
	hanging := p.hear("command.hangs.#")
	p.answering(">", ":")
	others := make([]*client, clients)
	for i := range others {
		others[i] = dialWith(t, b.addr, "/?silent=1", bridge.Subprotocol)
		others[i].next() // the hello
		for n := range commands(i) {
			others[i].say(fmt.Sprintf(`{"op": "command", "id": "%d", "consumer": "hangs", "command_string": "x", "command_id": "%d-%d"}`, n, i, n))
			if all++; all%32 == 0 { // so that none waits in the outbox for long
				for range 32 {
					testkit.Await(t, hanging)
				}
			}
		}
	}
	honest, _ := dialV1(t, b.addr, "/?silent=1")
	for n := range each {
		id := fmt.Sprint("honest ", n)
		ok := honest.ask(fmt.Sprintf(`{"op": "command", "id": "a", "consumer": "x", "command_string": "go", "command_id": %q}`, id))
		equal(t, "the answer to "+id, []any{ok["op"], ok["command_id"]}, []any{"ok", id})
		result := honest.next()
		equal(t, "the end of "+id, []any{result["op"], result["status"]}, []any{"result", "done"})
	}

	// Each hanging command was answered, and the senders of those that gave way were told.
	gaveWay := 0
	for i, c := range others {
		for range commands(i) {
			equal(t, "an answer", c.next()["op"], any("ok"))
		}
		c.say(`{"op": "ping", "id": "last"}`)
		for e := c.next(); e["op"] != "pong"; e = c.next() {
			equal(t, "what comes", []any{e["op"], e["status"]}, []any{"result", "timeout"})
			equal(t, "why", e["message"], any("the bridge waits no longer: too many commands are in flight, and your address has the most; the actor may go on"))
			gaveWay++
		}
	}
	if most := all - 100_000 + 1; gaveWay == 0 || gaveWay > most {
		t.Errorf("of %d commands %d gave way, at most %d need to", all, gaveWay, most)
	}
}
