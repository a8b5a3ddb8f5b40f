package amqpx

import (
	"fmt"
	"time"
	"unicode/utf8"

	amqp "github.com/rabbitmq/amqp091-go"
)

// The library's types that pass through the link untouched.
type (
	// Delivery is a received message with its properties and routing.
	Delivery = amqp.Delivery
	// Publishing is what is sent: properties and body.
	Publishing = amqp.Publishing
	// Table is an AMQP field table: message headers, arguments.
	Table = amqp.Table
	// Decimal is AMQP's decimal header type.
	Decimal = amqp.Decimal
)

// MaxShortString is the longest routing key, correlation id, message id or
// queue name in bytes (AMQP 0-9-1, 4.2.5.3: a short string's length is one octet).
const MaxShortString = 255

// Message is one message for [Link.Publish], on the link's exchange.
type Message struct {
	// Key is the routing key, at most 255 bytes.
	Key string
	// Mandatory asks the broker to return the message when no queue wants it.
	// It needs a MessageId, by which a return is matched to its message.
	Mandatory bool
	// Needs are names of queues of which one must exist, whoever it belongs to;
	// none needs nothing. It is looked at if [Config].CheckQueues is set: when none
	// of them exists the message is not sent, and ends as [Returned]. What the
	// broker said counts for a second, that a queue is missing for a quarter of one.
	Needs []string
	// From is the message's publisher: senders take turns, and none takes the share of
	// another. Messages without a sender count as those of one sender.
	From Sender
	// Party is to whom the sender belongs, and is comparable: the parties take turns and
	// share the room first, then the senders of each. Without one a message is of the
	// party of all those.
	Tenant any
	// Deadline is the wall-clock time after which the message is not sent but ends as
	// [Expired]. The zero time, and one later than that, means [Config].PublishTimeout
	// from now.
	Deadline time.Time
	Publishing
}

// check refuses what the wire cannot carry. The library would close the
// connection over it, for everyone.
func (m *Message) check() error {
	for _, f := range [...]struct{ name, value string }{
		{"routing key", m.Key},
		{"correlation id", m.CorrelationId},
		{"message id", m.MessageId},
		{"reply_to", m.ReplyTo},
		{"content type", m.ContentType},
		{"content encoding", m.ContentEncoding},
		{"expiration", m.Expiration},
		{"type", m.Type},
		{"user id", m.UserId},
		{"app id", m.AppId},
	} {
		if err := checkShort(f.name, f.value); err != nil {
			return err
		}
	}
	for _, q := range m.Needs {
		if err := checkShort("name of a queue that it needs", q); err != nil {
			return err
		}
	}
	if m.Mandatory && m.MessageId == "" {
		return fmt.Errorf("amqpx: a mandatory message needs a message id")
	}
	if err := m.Headers.Validate(); err != nil {
		return fmt.Errorf("amqpx: headers: %w", err)
	}
	return checkNames(m.Headers)
}

// checkNames refuses a name that is too long, in a table or in one within it.
func checkNames(v any) error {
	switch v := v.(type) {
	case Table:
		for name, field := range v {
			if len(name) > MaxShortString {
				return fmt.Errorf("amqpx: the name of a header is %d bytes long; AMQP allows %d", len(name), MaxShortString)
			}
			if err := checkNames(field); err != nil {
				return err
			}
		}
	case []any:
		for _, field := range v {
			if err := checkNames(field); err != nil {
				return err
			}
		}
	}
	return nil
}

func checkShort(what, s string) error {
	if len(s) > MaxShortString {
		return fmt.Errorf("amqpx: the %s is %d bytes long; AMQP allows %d", what, len(s), MaxShortString)
	}
	if !utf8.ValidString(s) {
		return fmt.Errorf("amqpx: the %s is not valid UTF-8", what)
	}
	return nil
}
