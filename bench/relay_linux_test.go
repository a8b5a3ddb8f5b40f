package bench

import (
	"testing"

	amqp "github.com/rabbitmq/amqp091-go"
)

// The bridge is compared with a program that writes the same frames.
func TestTheBareConsumerWritesTheFramesOfTheBridge(t *testing.T) {
	key, p := reply(firstNumber, defaultSender, "")
	d := amqp.Delivery{Headers: p.Headers, Exchange: exchange, RoutingKey: key, MessageId: p.MessageId, Timestamp: p.Timestamp, Body: p.Body}
	want, err := envelopeFrame(d)
	if err != nil {
		t.Fatal(err)
	}
	before := []byte("what was there before")
	if got := appendBareFrame(before, &d); string(got) != string(before)+string(want) {
		t.Errorf("got  %q\nwant %q", got, want)
	}
}
