package testkit

import (
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"
)

// cluExchange is the exchange of CLU's actors.
const cluExchange = "sdss_exchange"

// numbered returns a reply with a number and this body.
func numbered(n int, body string) amqp.Publishing {
	return amqp.Publishing{
		MessageId: strconv.Itoa(n),
		Timestamp: time.Now(), // as actors do
		Headers:   amqp.Table{"message_code": "i", "sender": "source", "command_id": nil, "commander_id": nil, "internal": false},
		Body:      []byte(body),
	}
}

// PublishReplies publishes count replies to CLU's exchange as fast as the broker takes them, and returns when all are
// confirmed. They are numbered from 0, like those of a [Source], and padded to about so many bytes each.
func PublishReplies(t testing.TB, url string, count, bytes int) {
	t.Helper()
	conn, err := amqp.Dial(url)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	ch, err := conn.Channel()
	if err == nil {
		err = ch.Confirm(false)
	}
	if err != nil {
		t.Fatal(err)
	}
	const atOnce = 1000 // how many may wait for their confirms
	padding := strings.Repeat("x", bytes)
	waiting := make([]*amqp.DeferredConfirmation, count)
	settle := func(n int) {
		if n >= 0 && !waiting[n].Wait() {
			t.Fatalf("reply %d of %d is not confirmed", n, count)
		}
	}
	for n := range count {
		settle(n - atOnce)
		body := fmt.Sprintf(`{"n": %d, "padding": %q}`, n, padding)
		waiting[n], err = ch.PublishWithDeferredConfirm(cluExchange, "reply.broadcast", true, false, numbered(n, body))
		if err != nil {
			t.Fatal(err)
		}
	}
	for n := max(0, count-atOnce); n < count; n++ {
		settle(n)
	}
}
