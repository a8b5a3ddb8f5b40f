package main

import (
	"encoding/json"
	"fmt"
	"maps"
	"net"
	"strings"
	"sync"
	"testing"

	"github.com/gobwas/ws/wsutil"
	amqp "github.com/rabbitmq/amqp091-go"

	"github.com/clu-ws/clu-ws/actor"
	"github.com/clu-ws/clu-ws/internal/testkit"
)

// commander is a client that sends one command after another.
type commander struct {
	name     string
	consumer string
	sent     []string // ids of the commands
	ends     map[string]int
	err      error
}

// command sends commands until the connection ends, each after the end of the one
// before: the reply of the actor, or an error.
func (c *commander) command(conn net.Conn) {
	for n := 0; c.err == nil; n++ {
		id := fmt.Sprintf("%s-%d", c.name, n)
		if err := wsutil.WriteClientText(conn, fmt.Appendf(nil, `{"consumer": %q, "command_string": "x", "command_id": %q}`, c.consumer, id)); err != nil {
			c.err = err
			return
		}
		c.sent = append(c.sent, id)
		for c.err == nil && c.ends[id] == 0 {
			c.next(conn)
		}
	}
}

// next reads the next message.
func (c *commander) next(conn net.Conn) {
	var m struct {
		Op        string
		CommandID string `json:"command_id"`
		Headers   struct {
			CommandID string `json:"command_id"`
		}
	}
	text, err := wsutil.ReadServerText(conn)
	if err != nil {
		c.err = err
		return
	}
	if c.err = json.Unmarshal(text, &m); m.Op == "error" {
		c.ends[m.CommandID]++
	} else if strings.HasPrefix(m.Headers.CommandID, c.name+"-") {
		c.ends[m.Headers.CommandID]++
	}
}

// echo runs an actor that answers each command with done, and counts them by id.
func echo(t *testing.T, url string) (arrived func() map[string]int) {
	return count(t, url, "echo_commands", "command.echo.#", func(ch *amqp.Channel, d amqp.Delivery) bool {
		// An error is the end of the broker or of the test.
		_ = ch.Publish(actor.Exchange, "reply.x", false, false, amqp.Publishing{
			CorrelationId: d.CorrelationId,
			Headers: amqp.Table{"message_code": ":", "sender": "echo", "command_id": d.Headers["command_id"],
				"commander_id": d.Headers["commander_id"], "internal": false},
			Body: []byte("{}"),
		})
		return true
	})
}

// tapReplies counts the failed replies on the exchange by the ids of their commands.
func tapReplies(t *testing.T, url string) (failed func() map[string]int) {
	return count(t, url, "tap", "reply.#", func(_ *amqp.Channel, d amqp.Delivery) bool { return d.Headers["message_code"] == "f" })
}

// count consumes the messages of a pattern, and counts those that are wanted by the
// ids of their commands.
func count(t *testing.T, url, queue, pattern string, wanted func(*amqp.Channel, amqp.Delivery) bool) func() map[string]int {
	t.Helper()
	conn, err := amqp.Dial(url)
	if err != nil {
		t.Fatal(err)
	}
	var running sync.WaitGroup
	t.Cleanup(func() { conn.Close(); running.Wait() })
	ch, err := conn.Channel()
	if err == nil {
		_, err = ch.QueueDeclare(queue, true, false, false, false, nil)
	}
	if err == nil {
		err = ch.QueueBind(queue, pattern, actor.Exchange, false, nil)
	}
	if err != nil {
		t.Fatal(err)
	}
	deliveries, err := ch.Consume(queue, "", true, false, false, false, nil)
	if err != nil {
		t.Fatal(err)
	}
	var mu sync.Mutex // guards byID
	byID := map[string]int{}
	running.Go(func() {
		for d := range deliveries {
			id, _ := d.Headers["command_id"].(string)
			if wanted(ch, d) {
				mu.Lock()
				byID[id]++
				mu.Unlock()
			}
		}
	})
	return func() map[string]int {
		mu.Lock()
		defer mu.Unlock()
		return maps.Clone(byID)
	}
}

// buffered is a connection of which a part was read ahead.
type buffered struct {
	net.Conn
	from interface{ Read([]byte) (int, error) }
}

func (b buffered) Read(p []byte) (int, error) { return b.from.Read(p) }

func mustSend(t *testing.T, conn net.Conn, text string) {
	t.Helper()
	if err := wsutil.WriteClientText(conn, []byte(text)); err != nil {
		t.Fatal(err)
	}
}

func awaitArrival(t *testing.T, arrived func() map[string]int, id string) {
	t.Helper()
	testkit.Eventually(t, testkit.Patience, "the actor has "+id, func() error {
		if arrived()[id] == 0 {
			return fmt.Errorf("it has %v", arrived())
		}
		return nil
	})
}
