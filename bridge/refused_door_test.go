package bridge_test

import (
	"fmt"
	"strings"
	"testing"

	amqp "github.com/rabbitmq/amqp091-go"

	"github.com/clu-ws/clu-ws/internal/testkit"
)

const (
	everything  = `{"hear": [{}], "own": true, "rooms": ["/**"], "publish": ["/**"], "command": [{}], "clients": true, "admin": true}`
	onlyHears   = `{"hear": [{}]}`
	onlyTheDome = `{"hear": [{"sender": "dome"}], "own": true, "command": [{"consumer": "dome"}]}`
)

// Refused commands go to nobody, take no command id, and do not show which actors exist.
func TestARefusedCommandLeavesNoTrace(t *testing.T) {
	url := embeddedBroker(t)
	g := guard(t, url, map[string]string{"eve": onlyHears, "eng": everything})
	p := newPeer(t, url)
	commands := p.hear("command.#")
	bystander, _ := g.as("eng", "/"), g.v1("eng")
	eve, plain := g.v1("eve"), g.as("eve", "/")
	before := metricNames(g.metrics(t))
	for _, consumer := range []string{"mirror", "nobody", "mirror.x", "mirror.#"} {
		eve.say(fmt.Sprintf(`{"op": "command", "id": "1", "consumer": %q, "command_string": "open", "command_id": "mine"}`, consumer))
		if m := eve.answer("error", "ok"); m["code"] != "forbidden" || strings.Contains(fmt.Sprint(m["message"]), "Failed routing") {
			t.Errorf("a command to %s is answered with %v", consumer, m)
		}
		plain.say(fmt.Sprintf(`{"consumer": %q, "command_string": "open", "command_id": "mine"}`, consumer))
		if m := plain.next(); !strings.Contains(m.errorText(), "you may not send") {
			t.Errorf("a plain command to %s is answered with %v", consumer, m)
		}
		if w, m := g.post("eve", "/api/command", fmt.Sprintf(`{"consumer": %q, "command_string": "open", "command_id": "mine"}`, consumer)); w.Code != 403 || m["code"] != "forbidden" {
			t.Errorf("a command to %s over HTTP is answered with %d %v", consumer, w.Code, m)
		}
	}
	// The id is free, the first command that anybody receives is the engineer's, and the first
	// message that others hear is the answer to that.
	eng := g.v1("eng")
	eng.say(`{"op": "command", "id": "1", "consumer": "mirror", "command_string": "open", "command_id": "mine"}`)
	if m := eng.answer("error", "ok"); m["op"] != "ok" {
		t.Fatalf("the id of a refused command is not free: %v", m)
	}
	d := testkit.Receive(t, commands)
	equal(t, "the first command", fmt.Sprint(d.RoutingKey, " ", d.Headers["commander_user"]), "command.mirror eng")
	p.publish("reply.bridge.mirror", amqp.Publishing{CorrelationId: "mine", Headers: amqp.Table{"command_id": "mine", "commander_id": "bridge.mirror", "sender": "mirror", "message_code": ":", "internal": false}, Body: []byte(`{"n": 1}`)})
	if m := bystander.next(); m.header("sender") != "mirror" || m.code() != ":" {
		t.Errorf("the first message that others hear is %v", m)
	}
	if after := metricNames(g.metrics(t)); after != before {
		t.Errorf("the metrics have other labels than before:\n%s\n%s", before, after)
	}
}

// metricNames returns the names and labels of metrics, without values.
func metricNames(text string) string {
	var names []string
	for line := range strings.Lines(text) {
		if name, _, ok := strings.Cut(line, " "); ok && !strings.HasPrefix(line, "#") && strings.HasPrefix(line, "cluws_") {
			names = append(names, name)
		}
	}
	return strings.Join(names, "\n")
}
