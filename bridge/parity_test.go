package bridge_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"net"
	"slices"
	"strings"
	"testing"

	amqp "github.com/rabbitmq/amqp091-go"

	"github.com/clu-ws/clu-ws/actor"
	"github.com/clu-ws/clu-ws/bridge"
	"github.com/clu-ws/clu-ws/internal/recorded"
	"github.com/clu-ws/clu-ws/internal/testkit"
)

func TestEachRecordedCaseGivesWhatCLUGave(t *testing.T) {
	onEachBroker(t, func(t *testing.T, url string) {
		b := linked(t, url, func(c *bridge.Config) { c.Name = recorded.ClientName; c.Strict = true })
		p := newPeer(t, url)
		// The actor of the recording, whose part this test plays.
		commands := p.hear("command.lvmecp.#")
		for _, r := range recorded.Cases(t) {
			t.Run(r.Case, func(t *testing.T) {
				c := dial(t, b.addr)
				if r.ClientSends != "" {
					c.say(r.ClientSends)
				}
				for _, want := range r.Commands {
					compareCommand(t, testkit.Receive(t, commands), want)
				}
				if r.Case != "unroutable consumer" { // the bridge's own reply is the case
					for _, reply := range r.Replies {
						p.publish(reply.RoutingKey, reply.Publishing())
					}
				}
				compareEnvelopes(t, c, r.Envelopes)
				p.reply(`{"end of case": 1}`)
				equal(t, "what came after it", fmt.Sprint(c.next()["body"]), "map[end of case:1]")
			})
		}
	})
}

// compareCommand compares a command with the recorded one, property by property. The
// recording's random ids stand for any of the same form.
func compareCommand(t *testing.T, got amqp.Delivery, want recorded.Message) {
	t.Helper()
	expected := want.Publishing()
	if len(expected.CorrelationId) == 36 {
		equal(t, "length of command_id", len(got.CorrelationId), 36)
		expected.CorrelationId = got.CorrelationId
		expected.Headers["command_id"] = got.CorrelationId
	}
	equal(t, "length of message_id", len(got.MessageId), len(expected.MessageId))
	expected.MessageId = got.MessageId
	equal(t, "body", parseEnvelope(t, got.Body), parseEnvelope(t, expected.Body))
	expected.Body = got.Body
	equal(t, "routing", []string{got.Exchange, got.RoutingKey}, []string{want.Exchange, want.RoutingKey})
	equal(t, "priority", got.Priority, want.Properties.Priority)
	equal(t, "message", amqp.Publishing{
		Headers: got.Headers, ContentType: got.ContentType, ContentEncoding: got.ContentEncoding, DeliveryMode: got.DeliveryMode,
		Priority: got.Priority, CorrelationId: got.CorrelationId, ReplyTo: got.ReplyTo, Expiration: got.Expiration,
		MessageId: got.MessageId, Timestamp: got.Timestamp, Type: got.Type, UserId: got.UserId, AppId: got.AppId, Body: got.Body,
	}, expected)
}

// compareEnvelopes reads as many envelopes as CLU wrote and compares them.
func compareEnvelopes(t *testing.T, c *client, want []string) {
	t.Helper()
	for i := range want {
		got := c.next()
		w := parseEnvelope(t, withoutNaN(want[i]))
		if w.header("sender") == "nobody" {
			w["message_id"] = got["message_id"] // made by the bridge
		}
		equal(t, "envelope", got, w)
	}
}

// withoutNaN returns CLU's text with null in place of the tokens that JSON does not have.
func withoutNaN(text string) []byte {
	for _, token := range []string{"-Infinity", "Infinity", "NaN"} {
		for _, end := range []string{",", "}", "]"} {
			text = strings.ReplaceAll(text, ": "+token+end, ": null"+end)
		}
	}
	return []byte(text)
}

func TestBesideCLUsOwnServerEveryEnvelopeIsTheSame(t *testing.T) {
	python := testkit.CLU(t)
	url := testkit.RabbitMQ(t).NewVHost(t)
	python.StartActor(t, url, "lvmecp")
	port := testkit.FreePort(t)
	python.StartWebSocketServer(t, port, url)
	b := linked(t, url)
	clu, ours := dial(t, net.JoinHostPort("127.0.0.1", fmt.Sprint(port))), dial(t, b.addr)

	commands := []string{"ping", "version", "help", "help ping", "status", "odd", "empty", "fail", "bogus", "burst 200",
		"broadcast", "--help", "keyword text", "get_schema", "slow 0.1", "help nonsense", "status --wrong"}
	for i, command := range commands {
		for via, c := range map[string]*client{"clu": clu, "ours": ours} {
			id := fmt.Sprintf("%s-%d", via, i)
			c.say(fmt.Sprintf(`{"consumer": "lvmecp", "command_string": %q, "command_id": %q}`, command, id))
			compareStreams(t, command, collect(clu, id), collect(ours, id))
		}
	}
	// Each server's failed reply to a command without a consumer reaches the clients of both.
	for via, c := range map[string]*client{"clu": clu, "ours": ours} {
		id := via + "-nobody"
		c.say(fmt.Sprintf(`{"consumer": "nobody", "command_string": "ping", "command_id": %q}`, id))
		compareStreams(t, "to nobody", collect(clu, id), collect(ours, id))
	}
}

// collect reads envelopes up to the last of a command; NaN is null.
func collect(c *client, commandID string) (all []envelope) {
	c.t.Helper()
	for {
		e := parseEnvelope(c.t, withoutNaN(string(c.text())))
		all = append(all, e)
		if e.header("command_id") == commandID && e.code().Ends() {
			return all
		}
	}
}

func compareStreams(t *testing.T, command string, clu, ours []envelope) {
	t.Helper()
	if len(clu) == 0 || len(clu) != len(ours) {
		t.Fatalf("%q: CLU wrote %d envelopes, we wrote %d", command, len(clu), len(ours))
	}
	for i := range clu {
		if !jsonEqual(clu[i], ours[i]) {
			t.Errorf("%q, reply %d:\nCLU wrote %v\nwe wrote  %v", command, i, clu[i], ours[i])
		}
	}
}

// jsonEqual compares JSON values; numbers by value, since 1e22 and 1e+22 are one.
func jsonEqual(a, b any) bool {
	switch a := a.(type) {
	case envelope:
		b, ok := b.(envelope)
		return ok && jsonEqual(map[string]any(a), map[string]any(b))
	case map[string]any:
		b, ok := b.(map[string]any)
		return ok && maps.EqualFunc(a, b, jsonEqual)
	case []any:
		b, ok := b.([]any)
		return ok && slices.EqualFunc(a, b, jsonEqual)
	case json.Number:
		b, ok := b.(json.Number)
		if !ok || a == b {
			return ok
		}
		fa, errA := a.Float64()
		fb, errB := b.Float64()
		return errA == nil && errB == nil && fa == fb
	}
	return a == b
}

func TestARealActorJoinsTheEmbeddedBroker(t *testing.T) {
	python := testkit.CLU(t)
	url := embeddedBroker(t)
	python.StartActor(t, url, "lvmecp")
	b := linked(t, url)
	c := dial(t, b.addr)
	for _, command := range []struct {
		text string
		last actor.Code
		says string
	}{
		{"ping", actor.Done, "Pong."},
		{"help", actor.Done, "Usage: lvmecp [OPTIONS] COMMAND [ARGS]..."},
		{"fail", actor.Failed, "The dome is stuck."},
		{"burst 1000", actor.Done, "1000"},
	} {
		c.say(fmt.Sprintf(`{"consumer": "lvmecp", "command_string": %q, "command_id": %q}`, command.text, command.text))
		replies := c.untilEnd(command.text)
		last := replies[len(replies)-1]
		if last.code() != command.last || !strings.Contains(fmt.Sprint(last["body"]), command.says) {
			t.Errorf("%s ended with %v", command.text, last)
		}
		if replies[0].code() != actor.Running {
			t.Errorf("%s began with %v", command.text, replies[0])
		}
	}
	// Real actors come and go, also under the same name.
	python.StartActor(t, url, "another")
	c.say(`{"consumer": "another", "command_string": "version", "command_id": "v"}`)
	if replies := c.untilEnd("v"); !strings.Contains(fmt.Sprint(replies), "1.2.3") {
		t.Errorf("another actor answered %v", replies)
	}
}
