package testkit

import (
	"encoding/json"
	"fmt"
	"net"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	amqp "github.com/rabbitmq/amqp091-go"
)

// ask sends a command to an actor, as CLU would, and returns its replies as "code body".
func ask(t *testing.T, url, actor, command string) (replies []string) {
	t.Helper()
	ch, err := dial(t, url).Channel()
	if err != nil {
		t.Fatal(err)
	}
	q, err := ch.QueueDeclare("", false, true, true, false, nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := ch.QueueBind(q.Name, "reply.#", "sdss_exchange", false, nil); err != nil {
		t.Fatal(err)
	}
	got, err := ch.Consume(q.Name, "", true, true, false, false, nil)
	if err != nil {
		t.Fatal(err)
	}
	id := uuid.NewString()
	body, _ := json.Marshal(map[string]string{"command_string": command})
	err = ch.PublishWithContext(t.Context(), "sdss_exchange", "command."+actor, true, false, amqp.Publishing{
		ContentType:   "text/json",
		CorrelationId: id,
		Headers:       amqp.Table{"command_id": id, "commander_id": "test." + actor, "internal": false, "write_to_log": true},
		Body:          body,
	})
	if err != nil {
		t.Fatal(err)
	}
	deadline := time.After(Patience)
	for {
		select {
		case d := <-got:
			code, _ := d.Headers["message_code"].(string)
			replies = append(replies, code+" "+string(d.Body))
			if d.CorrelationId == id && strings.Contains(":f!", code) {
				return replies
			}
		case <-deadline:
			t.Fatalf("%s: no end within 20 s; replies: %q", command, replies)
		}
	}
}

func TestACLUActorRepliesAsRecorded(t *testing.T) {
	url := RabbitMQ(t).NewVHost(t)
	CLU(t).StartActor(t, url, "lvmecp")
	for _, tc := range []struct {
		command string
		want    []string
	}{
		{"ping", []string{`> {}`, `: {"text": "Pong."}`}},
		{"version", []string{`> {}`, `: {"version": "1.2.3"}`}},
		{"status", []string{`> {}`,
			`i {"dome_status": "0x10", "dome_status_labels": "POSITION_UNKNOWN"}`,
			`d {"position": 12.5, "moving": false, "target": null}`,
			`: {"safe": true}`}},
		{"odd", []string{`> {}`,
			`i {"text": "\u00fcn\u00ef \u2603 \ud834\udd1e \u0001 </b>&\u007f", "big": 12345678901234567890,` +
				` "small": 1e-07, "large": 1e+22, "z": 1.0, "neg": -0.0, "nested": {"a": [1, 2.5, null, true, {"b": []}]}}`,
			`w {"nan": NaN, "inf": Infinity, "ninf": -Infinity, "text": "NaN and Infinity inside a string stay"}`,
			`e {"error": "division by zero"}`,
			`f {"error": "Gave up."}`}},
		{"empty", []string{`> {}`, `i {}`, `i {"text": "", "list": [], "object": {}, "null": null}`, `: {}`}},
		{"fail", []string{`> {}`, `f {"error": "The dome is stuck."}`}},
		{"slow 0.1", []string{`> {}`, `i {"step": "waiting", "seconds": 0.1}`, `: {"step": "done"}`}},
		{"burst 3", []string{`> {}`, `i {"n": 0}`, `i {"n": 1}`, `i {"n": 2}`, `: {"count": 3}`}},
		{"broadcast", []string{`> {}`, `i {"dome_status": "0x10", "text": "broadcast with no command"}`, `: {}`}},
	} {
		t.Run(tc.command, func(t *testing.T) {
			if got := ask(t, url, "lvmecp", tc.command); !slices.Equal(got, tc.want) {
				t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(tc.want, "\n"))
			}
		})
	}
}

func TestCLUsOwnServerAccepts(t *testing.T) {
	port := FreePort(t)
	CLU(t).StartWebSocketServer(t, port, RabbitMQ(t).NewVHost(t))
	conn, err := net.Dial("tcp", fmt.Sprintf("127.0.0.1:%d", port))
	if err != nil {
		t.Fatal(err)
	}
	conn.Close()
}

func TestPythonRunsAScript(t *testing.T) {
	got := CLU(t).Run(t, "import sys, clu; print(clu.__version__, *sys.argv[1:])", "a", "b")
	if got != "2.6.1 a b\n" {
		t.Errorf("got %q", got)
	}
}
