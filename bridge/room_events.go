package bridge

import (
	"encoding/json"
	"time"

	"github.com/clu-ws/clu-ws/amqpx"
	"github.com/clu-ws/clu-ws/bridge/access"
	"github.com/clu-ws/clu-ws/bridge/protocol"
)

// Applications that use rooms may hear what clients do there: on the exchange of presence, or by
// the callback. The events of a client come in their order.

// roomEvent is an event about a room, and what follows "websocket." in its routing key.
type roomEvent string

// The events.
const (
	roomSubscribe   roomEvent = "subscribe"
	roomUnsubscribe roomEvent = "unsubscribe"
	roomMessage     roomEvent = "message"
)

// roomEventMessage is an event on the exchange of presence.
type roomEventMessage struct {
	presenceMessage
	Room string `json:"room"`
	// ID is that of the subscription; null for a client that connected to the room, or a message.
	ID   *string         `json:"id"`
	Body json.RawMessage `json:"body,omitempty"` // of a message
}

// tellsRooms reports whether anybody may hear what clients do in rooms.
func (b *Bridge) tellsRooms() bool { return b.access != nil || b.cfg.PresenceRooms }

// tellRoom tells of an event. It never blocks.
func (b *Bridge) tellRoom(c *client, e roomEvent, path string, id *string, body json.RawMessage) {
	if b.access != nil {
		about := access.Event{Op: string(e), Path: path, Body: body}
		if c.number > 0 {
			about.Client = b.clientID(c.number)
		}
		if id != nil {
			about.ID = *id
		}
		b.access.Event(c.principal(), about)
	}
	if b.presence != nil && b.cfg.PresenceRooms {
		b.presence.publish("websocket."+string(e), roomEventMessage{b.presenceOf(c, time.Now()), path, id, body})
	}
}

// tellSubscription tells of the rooms of a v1 client's subscription that has begun or ended.
func (b *Bridge) tellSubscription(c *client, id string, paths []string, began bool) {
	e := roomUnsubscribe
	if began {
		e = roomSubscribe
	}
	for _, path := range paths {
		b.tellRoom(c, e, path, &id, nil)
	}
}

// tellPublished tells of a message that a client has published to a room.
func (b *Bridge) tellPublished(c *client, path string, m amqpx.Message) {
	if !b.tellsRooms() {
		return
	}
	body := json.RawMessage(m.Body)
	if m.ContentType != jsonType {
		body = protocol.JSON(string(m.Body))
	}
	b.tellRoom(c, roomMessage, path, nil, body)
}
