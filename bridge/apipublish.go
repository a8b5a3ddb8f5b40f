package bridge

import (
	"errors"
	"net/http"

	"github.com/clu-ws/clu-ws/amqpx"
	"github.com/clu-ws/clu-ws/bridge/protocol"
	"github.com/clu-ws/clu-ws/bridge/rooms"
)

const publishForm = `{"path": "/live/x", "body": <any JSON>} or {"path": "/live/x", "text": "<text>"}, and "exchange" if you like`

// apiPublish publishes a message for a room, and waits for the broker's confirm.
func (b *Bridge) apiPublish(r *http.Request, payload []byte) (int, []byte, *apiError) {
	if _, wrong := parseParameters(r); wrong != nil {
		return 0, nil, wrong
	}
	f, wrong := readFields(payload, publishForm, "exchange", "path", "body", "text")
	if wrong != nil {
		return 0, nil, wrong
	}
	to, err := b.readTarget(f)
	if err != nil {
		return 0, nil, apiErrorf(http.StatusBadRequest, "%v", err)
	}
	message, err := readMessage(f)
	if err != nil {
		return 0, nil, apiErrorf(http.StatusBadRequest, "%v", err)
	}
	if err := b.allow(b.httpClient(r), action{publish: &to}); err != nil {
		return 0, nil, &apiError{Status: http.StatusForbidden, Error: err.Error(), Code: protocol.CodeForbidden}
	}
	message.Key = to.source.RoutingKey(to.path)
	outcome := make(chan amqpx.Outcome, 1)
	if err := to.source.link.Publish(message, func(o amqpx.Outcome) { outcome <- o }); err != nil {
		return 0, nil, apiErrorf(http.StatusBadRequest, "%v", err)
	}
	if o := <-outcome; o != amqpx.Confirmed {
		b.failures.note(o.String(), "exchange", to.source.Exchange, "path", to.path)
		return 0, nil, &apiError{Status: http.StatusServiceUnavailable, Error: publishFailure(o), Code: o.String()}
	}
	return http.StatusAccepted, protocol.JSON(struct {
		Exchange   string `json:"exchange"`
		RoutingKey string `json:"routing_key"`
		Path       string `json:"path"`
	}{to.source.Exchange, message.Key, to.path}), nil
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
	if exchange == "" {
		exchange = rooms.Find(b.cfg.Sources, to.path).Exchange
	}
	to.source, err = b.sourceLinkOf(exchange, to.path)
	return to, err
}

// readMessage reads the body of a message. It is transient: a room keeps no messages.
func readMessage(f protocol.Fields) (message amqpx.Message, err error) {
	message.DeliveryMode = 1
	body, isJSON := f["body"]
	_, isText := f["text"]
	switch {
	case isJSON == isText:
		return message, errors.New(`give either "body" or "text"; send ` + publishForm)
	case isJSON:
		message.ContentType, message.Body = "application/json", compactJSON(body)
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
	case amqpx.Refused:
		return "The message may have been published in part: the broker refused it for at least one queue."
	}
	return "The message may have been published: it was sent, but the broker did not confirm it."
}
