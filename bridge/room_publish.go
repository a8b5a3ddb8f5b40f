package bridge

import (
	"errors"

	"github.com/clu-ws/clu-ws/amqpx"
	"github.com/clu-ws/clu-ws/bridge/hub"
	"github.com/clu-ws/clu-ws/bridge/protocol"
	"github.com/clu-ws/clu-ws/bridge/quota"
)

const publishForm = `{"path": "/live/x", "body": <any JSON>} or {"path": "/live/x", "text": "<text>"}, and "exchange" if you like`

// publishFields are the fields of a message for a room.
var publishFields = append([]string{"exchange", "path", "body", "text"}, placeFields...)

// jsonType is the content type of a message that is JSON.
const jsonType = "application/json"

// publishToRoom publishes a client's message to a room, and answers with the broker's outcome.
func (b *Bridge) publishToRoom(s *hub.Session, r request) error {
	to, err := b.readTarget(r.fields)
	if err != nil {
		return err
	}
	if d := b.mayPublish(r.client, to.path); !d.Allowed {
		b.noteRefused(r.client, "publish", to.path, d)
		return forbidden(d)
	}
	message, err := readMessage(r.fields)
	if err != nil {
		return err
	}
	if r.client.leaving() {
		return &protocol.Rejection{Code: protocol.CodeLeaving, Message: "The message was not published: " + goingAwayReason + "."}
	}
	b.addPublisher(&message, r.client, to)
	message.From, message.Tenant = r.client, quota.Address(r.client.Remote())
	r.client.commands.Add(1)
	err = to.source.link.Publish(message, func(o amqpx.Outcome) {
		if o == amqpx.Confirmed {
			b.tellPublished(r.client, to.path, message)
			r.conn.Send(protocol.Encode(protocol.OK{Op: "ok", ID: r.id}))
		} else {
			b.failures.Note(o.String(), "exchange", to.source.Exchange, "path", to.path)
			r.conn.Send(protocol.Encode(protocol.Error{Op: "error", ID: r.id, Code: o.String(), Message: publishFailure(o)}))
		}
		r.client.commandDone(r.conn)
	})
	if err != nil { // AMQP cannot carry it, or the broker does not permit it
		r.client.commandDone(r.conn)
		return &protocol.Rejection{Code: protocol.CodeInvalid, Message: err.Error()}
	}
	return nil
}

// addPublisher makes a message one of a client for a room. With access control, it says whose it is,
// and is not sent if the client may not publish there any more by then.
func (b *Bridge) addPublisher(message *amqpx.Message, c *client, to roomTarget) {
	message.Key = to.source.RoutingKey(to.path)
	if b.access == nil {
		return
	}
	if user := c.user(); user != "" && len(user) <= amqpx.MaxShortString {
		if message.Headers == nil {
			message.Headers = amqpx.Table{}
		}
		message.Headers["user"] = user
	}
	message.Withdrawn = func() bool { return !b.mayPublish(c, to.path).Allowed }
}

// roomTarget is a room to which a message is published, and its source.
type roomTarget struct {
	source *sourceLink
	path   string
}

// readTarget reads the room of a message.
func (b *Bridge) readTarget(f protocol.Fields) (to roomTarget, err error) {
	var exchange string
	if err := protocol.Optional(f, "exchange", "a string", &exchange); err != nil {
		return to, err
	}
	if err := protocol.Optional(f, "path", "a string", &to.path); err != nil {
		return to, err
	}
	if to.path, err = b.checkRoom(to.path); err != nil {
		return to, err
	}
	to.source, err = b.sourceLinkFor(exchange, to.path)
	return to, err
}

// readMessage reads the body of a message. It is transient: a room keeps no messages.
func readMessage(f protocol.Fields) (message amqpx.Message, err error) {
	message.DeliveryMode = 1
	if message.Headers, err = readPlace(f); err != nil {
		return message, err
	}
	body, isJSON := f["body"]
	_, isText := f["text"]
	switch {
	case isJSON == isText:
		return message, errors.New(`give either "body" or "text"; send ` + publishForm)
	case isJSON:
		message.ContentType, message.Body = jsonType, compactJSON(body)
		return message, nil
	}
	var text string
	if err := protocol.Optional(f, "text", "a string", &text); err != nil {
		return message, err
	}
	if string(f["text"]) == "null" {
		return message, errors.New(`"text" is null, but must be a string`)
	}
	message.ContentType, message.Body = "text/plain; charset=utf-8", []byte(text)
	return message, nil
}

// publishFailure returns the error text for a message that was not confirmed.
func publishFailure(o amqpx.Outcome) string {
	switch o {
	case amqpx.Disconnected:
		return "The message was not published: there is no connection to the broker."
	case amqpx.Blocked:
		return "The message was not published: the broker blocks publishers because it is short of memory or disk."
	case amqpx.Full:
		return "The message was not published: too many messages wait to be sent; try again."
	case amqpx.Expired:
		return "The message was not published: it expired while it waited; try again."
	case amqpx.Gone:
		return "The message was not published: you may not publish to this room any longer."
	case amqpx.Refused:
		return "The message may have been published in part: the broker refused it for at least one queue."
	}
	return "The message may have been published: it was sent, but the broker did not confirm it."
}
