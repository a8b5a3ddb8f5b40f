package amqpx

import (
	"fmt"
	"time"
	"unicode/utf8"

	amqp "github.com/rabbitmq/amqp091-go"
)

// The library's types, which pass through the link unchanged.
type (
	// Delivery is a received message with its properties and routing.
	Delivery = amqp.Delivery
	// Publishing is a message to send: its properties and body.
	Publishing = amqp.Publishing
	// Table is an AMQP field table: message headers, arguments.
	Table = amqp.Table
	// Decimal is AMQP's decimal header type.
	Decimal = amqp.Decimal
)

// MaxShortString is the longest routing key, correlation id, message id or queue name in bytes (AMQP
// 0-9-1, 4.2.5.3: the length of a short string is one octet).
const MaxShortString = 255

// Message is one message for [Link.Publish].
type Message struct {
	// Key is the routing key, at most 255 bytes.
	Key string
	// Mandatory asks the broker to return the message if no queue is bound for its key. It needs
	// a MessageId, by which a return is matched to its message.
	Mandatory bool
	// Needs names queues of which at least one must exist, whichever connection it belongs to. If
	// it is empty, none is needed. With [Config].CheckQueues, a message whose queues are all
	// missing is not sent, and ends as [Returned]. An existing queue is checked again after a
	// second, a missing one after a quarter of a second.
	Needs []string
	// From is the publisher of the message. Senders take turns, so none takes another's share.
	// All messages without a sender count as those of a single sender.
	From Sender
	// Tenant is the owner of the sender, and comparable: tenants take turns and share the room
	// first, then the senders of each. All messages without a tenant count as those of a
	// single tenant.
	Tenant any
	// Withdrawn, if set, reports whether the message must not be sent any more, for example
	// because its sender has lost the right to. It is asked right before the message would be
	// sent, which then ends as [Gone]. Withdrawn must not block.
	Withdrawn func() bool
	// Deadline is the wall-clock time after which the message is not sent but ends as [Expired].
	// The zero time, and any later time, means [Config].PublishTimeout from now.
	Deadline time.Time
	Publishing
}

// check returns an error for a message that the wire cannot carry, over which the library
// would close the connection.
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

// checkNames returns an error if a name in a table, at any depth, is too long.
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
