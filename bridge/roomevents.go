package bridge

import (
	"github.com/clu-ws/clu-ws/amqpx"
	"github.com/clu-ws/clu-ws/bridge/access"
)

// roomMessageSent tells the application of a message that a client published to a room.
func (b *Bridge) roomMessageSent(c *client, path string, m amqpx.Message) {
	if b.cfg.Access != nil {
		b.cfg.Access.Event(c.principal(), access.Event{Op: "message", Client: b.eventClient(c), Path: path, Body: m.Body})
	}
}

// eventClient returns the id of a client for an event; "" over HTTP.
func (b *Bridge) eventClient(c *client) string {
	if c.number == 0 {
		return ""
	}
	return b.clientID(c)
}
