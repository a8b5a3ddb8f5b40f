package broker_test

import (
	"strings"
	"testing"

	amqp "github.com/rabbitmq/amqp091-go"

	"github.com/clu-ws/clu-ws/amqpx/broker"
	"github.com/clu-ws/clu-ws/internal/testkit"
)

// CLU reaches its broker through aio-pika, whose habits differ from amqp091-go's.
func TestACLUActorRunsOnTheEmbeddedBroker(t *testing.T) {
	t.Parallel()
	_, url := serve(t, broker.Config{})
	testkit.CLU(t).StartActor(t, url, "lvmecp")

	ch := open(t, dial(t, url))
	declare(t, ch, "test_replies")
	must(t, ch.QueueBind("test_replies", "reply.#", "sdss_exchange", false, nil))
	replies, err := ch.Consume("test_replies", "", true, true, false, false, nil)
	must(t, err)
	for _, tt := range []struct{ command, last string }{
		{"ping", `: {"text": "Pong."}`},
		{"fail", `f {"error": "The dome is stuck."}`},
		{"burst 100", `: {"count": 100}`},
		{"no-such-command", `f {"error": "Command 'no-such-command' does not exist or cannot be parsed."}`},
	} {
		must(t, ch.Publish("sdss_exchange", "command.lvmecp", true, false, amqp.Publishing{
			CorrelationId: tt.command,
			Headers: amqp.Table{
				"command_id": tt.command, "commander_id": "test.lvmecp", "internal": false, "write_to_log": true,
			},
			Body: []byte(`{"command_string": "` + tt.command + `"}`),
		}))
		for {
			d := testkit.Receive(t, replies)
			code, _ := d.Headers["message_code"].(string)
			if d.CorrelationId != tt.command || !strings.Contains(":f!", code) {
				continue
			}
			if got := code + " " + string(d.Body); got != tt.last {
				t.Errorf("%s: got %s, want %s", tt.command, got, tt.last)
			}
			break
		}
	}
	// The actor's queues are exclusive: a second actor of that name is refused.
	_, err = open(t, dial(t, url)).QueueDeclare("lvmecp_commands", false, false, true, false, nil)
	wantRefusal(t, err, amqp.ResourceLocked, "lvmecp_commands")
}
