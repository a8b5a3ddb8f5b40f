package testkit

import (
	"testing"

	amqp "github.com/rabbitmq/amqp091-go"
)

// OpenChannel opens a channel on a connection of its own to the broker. The connection is closed when the test ends.
func OpenChannel(t testing.TB, url string) *amqp.Channel {
	t.Helper()
	conn, err := amqp.Dial(url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	ch, err := conn.Channel()
	if err != nil {
		t.Fatal(err)
	}
	return ch
}
