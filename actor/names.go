package actor

import (
	"encoding/hex"

	"github.com/google/uuid"
)

// Exchange is the exchange that CLU's actors share: topic, not durable,
// auto-delete.
const Exchange = "sdss_exchange"

// NewClientName returns a new client name as CLU makes one: "amqp-client-" and the last twelve
// hex digits of a random UUID.
func NewClientName() string {
	id := uuid.New()
	return "amqp-client-" + hex.EncodeToString(id[10:])
}

// RepliesQueue returns the name of the queue on which a client or actor of that
// name receives replies.
func RepliesQueue(name string) string { return name + "_replies" }

// CommandsQueue returns the name of the queue on which an actor of that name
// receives commands.
func CommandsQueue(name string) string { return name + "_commands" }

// CommanderID returns the commander id in a client's commands to one consumer.
func CommanderID(name, consumer string) string { return name + "." + consumer }

// newMessageID returns a message id as CLU's AMQP library makes one: 32 hex digits.
func newMessageID() string {
	id := uuid.New()
	return hex.EncodeToString(id[:])
}

// NewCommandID returns a command id as CLU makes one: a UUID4 with hyphens.
func NewCommandID() string { return uuid.NewString() }
