package actor

import (
	"encoding/hex"

	"github.com/google/uuid"
)

// Exchange is the exchange that CLU's actors share: topic, not durable,
// auto-delete.
const Exchange = "sdss_exchange"

// NewClientName returns a new client name in CLU's form: "amqp-client-" and the last twelve
// hex digits of a random UUID.
func NewClientName() string {
	id := uuid.New()
	return "amqp-client-" + hex.EncodeToString(id[10:])
}

// RepliesQueue returns the name of the queue on which the named client or actor receives
// replies.
func RepliesQueue(name string) string { return name + "_replies" }

// CommandsQueue returns the name of the queue on which the named actor receives commands.
func CommandsQueue(name string) string { return name + "_commands" }

// CommanderID returns the commander id in a client's commands to one consumer.
func CommanderID(name, consumer string) string { return name + "." + consumer }

// newMessageID returns a message id in the form of CLU's AMQP library: 32 hex digits.
func newMessageID() string {
	id := uuid.New()
	return hex.EncodeToString(id[:])
}

// NewCommandID returns a command id in CLU's form: a UUID4 with hyphens.
func NewCommandID() string { return uuid.NewString() }
