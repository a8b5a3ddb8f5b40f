package testkit

import (
	"testing"

	amqp "github.com/rabbitmq/amqp091-go"
)

// OpenChannel connects to the broker at the URL as a program of the test's own, until the test ends,
// and opens a channel.
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
