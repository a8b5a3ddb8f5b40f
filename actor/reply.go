package actor

import (
	"bytes"
	"encoding/json"
	"time"

	"github.com/clu-ws/clu-ws/amqpx"
)

// broadcastKey is the routing key of a reply that answers no command.
const broadcastKey = "reply.broadcast"

// Reply is one message of an actor, to its commander or to everyone.
type Reply struct {
	// Code is what the reply means for its command.
	Code Code
	// Sender is the actor's name.
	Sender string
	// CommandID and CommanderID are the command's. Both are empty in a broadcast.
	CommandID, CommanderID string
	// Internal reports whether the reply is not meant for people.
	Internal bool
	// Body is JSON, normally an object of keywords and values.
	Body json.RawMessage
	// Time is when it was sent, to the second; zero if the sender did not say.
	Time time.Time
}

// Keywords returns the fields of a body that is an object, and nil for any other
// body.
func (r Reply) Keywords() map[string]json.RawMessage {
	var keywords map[string]json.RawMessage
	if json.Unmarshal(r.Body, &keywords) != nil {
		return nil
	}
	return keywords
}

// Message returns the reply as CLU's actors publish it: to reply.<commander id>, or
// to reply.broadcast with null ids.
func (r Reply) Message() amqpx.Message {
	headers := amqpx.Table{
		"message_code": string(r.Code),
		"sender":       r.Sender,
		"internal":     r.Internal,
		"command_id":   nil,
		"commander_id": nil,
	}
	key := broadcastKey
	if r.CommanderID != "" {
		key = "reply." + r.CommanderID
		headers["commander_id"] = r.CommanderID
	}
	if r.CommandID != "" {
		headers["command_id"] = r.CommandID
	}
	return amqpx.Message{
		Key: key,
		// As in CLU, so that a sender learns if no client receives its replies.
		Mandatory: true,
		Publishing: amqpx.Publishing{
			ContentType:   contentType,
			DeliveryMode:  transient,
			CorrelationId: r.CommandID,
			MessageId:     newMessageID(),
			Timestamp:     r.Time,
			Headers:       headers,
			Body:          r.Body,
		},
	}
}

// ParseReply parses a reply. The error is a [DropReason] if CLU would not pass it on. NaN
// and Infinity in the body become null.
func ParseReply(d *amqpx.Delivery) (Reply, error) {
	if err := checkHeaders(d); err != nil {
		return Reply{}, err
	}
	body, err := jsonBody(nil, d, NaNNull)
	if err != nil {
		return Reply{}, err
	}
	r := Reply{Body: body, Time: d.Timestamp, CommandID: d.CorrelationId}
	code, _ := d.Headers["message_code"].(string)
	r.Code = Code(code)
	r.Sender, _ = d.Headers["sender"].(string)
	r.CommanderID, _ = d.Headers["commander_id"].(string)
	r.Internal = pythonTrue(d.Headers["internal"])
	return r, nil
}

// marshal is marshalValue for values that JSON can certainly hold.
func marshal(v any) []byte {
	b, err := marshalValue(v)
	if err != nil {
		panic("actor: " + err.Error())
	}
	return b
}

// marshalValue returns a value as JSON, without escapes for HTML.
func marshalValue(v any) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return nil, err
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), nil
}
