package bridge_test

import (
	"context"
	"fmt"
	"net/http"
	"testing"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"

	"github.com/clu-ws/clu-ws/bridge"
	"github.com/clu-ws/clu-ws/internal/testkit"
)

// ends publishes the last reply to a command.
func (p *peer) ends(d amqp.Delivery) {
	p.t.Helper()
	p.from("x", ":", `{}`, "command_id", d.Headers["command_id"], "commander_id", d.Headers["commander_id"])
}

func TestAStoppingBridgeServesEverybodyUntilNoResultIsAwaited(t *testing.T) {
	url := embeddedBroker(t)
	b := linked(t, url)
	p := newPeer(t, url)
	commands := p.hear("command.x.#")
	waits, _ := dialV1(t, b.addr, "/")
	equal(t, "the command's answer", waits.ask(`{"op": "command", "id": "1", "consumer": "x", "command_string": "slew"}`)["op"], "ok")
	slew := testkit.Receive(t, commands)

	ended := b.stop()
	awaitDraining(t, b)
	status, says := b.health(t, "/readyz")
	equal(t, "/readyz", fmt.Sprint(status, says["draining"]), "503 true")
	// A command that stops the telescope gets through meanwhile, from the one who waits and from
	// one who comes now.
	waits.say(`{"op": "command", "id": "2", "consumer": "x", "command_string": "stop"}`)
	stop := testkit.Receive(t, commands)
	late, _ := dialV1(t, b.addr, "/")
	late.say(`{"op": "command", "id": "3", "consumer": "x", "command_string": "status"}`)
	question := testkit.Receive(t, commands)
	for _, d := range []amqp.Delivery{stop, slew, question} {
		p.ends(d)
	}
	results := map[any]any{}
	for _, c := range []*client{waits, late} {
		for _, e := range c.untilClose() {
			if e["op"] == "result" {
				results[e["id"]] = e["status"]
			}
		}
	}
	equal(t, "the results before the close", results, map[any]any{"1": "done", "2": "done", "3": "done"})
	if err := b.end(t, ended); err != nil {
		t.Error(err)
	}
}

func TestAResultThatIsAwaitedOverHTTPIsAwaitedByTheDrain(t *testing.T) {
	url := embeddedBroker(t)
	b := linked(t, url)
	p := newPeer(t, url)
	commands := p.hear("command.x.#")
	answer := make(chan string, 1)
	go func() {
		status, says := b.post(t, "/api/command?wait=1", `{"consumer": "x", "command_string": "slew"}`)
		answer <- fmt.Sprint(status, " ", says["status"])
	}()
	slew := testkit.Receive(t, commands)
	ended := b.stop()
	awaitDraining(t, b)
	p.ends(slew)
	equal(t, "the answer", testkit.Receive(t, answer), fmt.Sprint(http.StatusOK, " done"))
	if err := b.end(t, ended); err != nil {
		t.Error(err)
	}
}

func TestAResultThatDoesNotComeIsAwaitedForTheTimeoutOnly(t *testing.T) {
	url := embeddedBroker(t)
	b := linked(t, url, func(c *bridge.Config) { c.Drain.Timeout = time.Second })
	commands := newPeer(t, url).hear("command.x.#")
	waits, _ := dialV1(t, b.addr, "/")
	waits.say(`{"op": "command", "id": "1", "consumer": "x", "command_string": "slew"}`)
	testkit.Receive(t, commands)
	ended := b.stop()
	for _, e := range waits.untilClose() {
		if e["op"] == "result" {
			t.Errorf("it has a result: %v", e)
		}
	}
	ctx, cancel := context.WithTimeout(t.Context(), testkit.Patience)
	defer cancel()
	select {
	case err := <-ended:
		if err != nil {
			t.Error(err)
		}
	case <-ctx.Done():
		t.Error("it does not end")
	}
}
