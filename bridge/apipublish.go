package bridge

import (
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
	to, path, err := b.publishTarget(f)
	if err != nil {
		return 0, nil, apiErrorf(http.StatusBadRequest, "%v", err)
	}
	message := amqpx.Message{Key: to.RoutingKey(path)}
	message.DeliveryMode = 1 // a message for those who are there now
	body, isJSON := f["body"]
	_, isText := f["text"]
	switch {
	case isJSON == isText:
		return 0, nil, apiErrorf(http.StatusBadRequest, `give either "body" or "text"; send %s`, publishForm)
	case isJSON:
		message.ContentType, message.Body = "application/json", compactJSON(body)
	default:
		var text string
		if err := protocol.Optional(f, "text", "a string", &text); err != nil {
			return 0, nil, apiErrorf(http.StatusBadRequest, "%v", err)
		}
		if string(f["text"]) == "null" {
			return 0, nil, apiErrorf(http.StatusBadRequest, `"text" is null, but must be a string`)
		}
		message.ContentType, message.Body = "text/plain; charset=utf-8", []byte(text)
	}
	outcome := make(chan amqpx.Outcome, 1)
	if err := to.link.Publish(message, func(o amqpx.Outcome) { outcome <- o }); err != nil {
		return 0, nil, apiErrorf(http.StatusBadRequest, "%v", err)
	}
	if o := <-outcome; o != amqpx.Confirmed {
		b.failures.note(o.String(), "exchange", to.Exchange, "path", path)
		return 0, nil, &apiError{Status: http.StatusServiceUnavailable, Error: publishFailure(o), Code: o.String()}
	}
	return http.StatusAccepted, protocol.JSON(struct {
		Exchange   string `json:"exchange"`
		RoutingKey string `json:"routing_key"`
		Path       string `json:"path"`
	}{to.Exchange, message.Key, path}), nil
}

// publishTarget reads the room of a message, and gives its source.
func (b *Bridge) publishTarget(f protocol.Fields) (*sourceLink, string, error) {
	var exchange, path string
	if err := protocol.Optional(f, "exchange", "a string", &exchange); err != nil {
		return nil, "", err
	}
	if err := protocol.Optional(f, "path", "a string", &path); err != nil {
		return nil, "", err
	}
	path, err := b.checkRoom(path)
	if err != nil {
		return nil, "", err
	}
	if exchange == "" {
		exchange = rooms.Find(b.cfg.Sources, path).Exchange
	}
	to, err := b.sourceLinkOf(exchange, path)
	return to, path, err
}

// publishFailure says what became of a message.
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
		return "Nobody knows who has the message: the broker refused it for at least one queue."
	}
	return "Nobody knows whether the message was published: it was sent, but the broker did not confirm it."
}
