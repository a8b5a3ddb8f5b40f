package bridge

import (
	"net/http"

	"github.com/clu-ws/clu-ws/amqpx"
	"github.com/clu-ws/clu-ws/bridge/access"
	"github.com/clu-ws/clu-ws/bridge/protocol"
)

// apiPublish publishes a message for a room, and waits for the broker's confirm.
func (b *Bridge) apiPublish(r *http.Request, from *client, payload []byte) (int, []byte, *apiError) {
	if _, wrong := parseParameters(r); wrong != nil {
		return 0, nil, wrong
	}
	f, wrong := readFields(payload, publishForm, publishFields...)
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
	request := access.Request{Door: access.PublishToRoom, Room: to.path}
	if d := b.decide(from, request); !d.Allowed {
		return 0, nil, b.forbid(from, "publish", to.path, d)
	}
	b.addPublisher(&message, from, to)
	outcome := make(chan amqpx.Outcome, 1)
	if err := to.source.link.Publish(message, func(o amqpx.Outcome) { outcome <- o }); err != nil {
		return 0, nil, apiErrorf(http.StatusBadRequest, "%v", err)
	}
	o := <-outcome
	if d := b.decide(from, request); o == amqpx.Gone && !d.Allowed {
		return 0, nil, b.forbid(from, "publish", to.path, d)
	}
	if o != amqpx.Confirmed {
		b.failures.Note(o.String(), "exchange", to.source.Exchange, "path", to.path)
		return 0, nil, &apiError{Status: http.StatusServiceUnavailable, Error: publishFailure(o), Code: o.String()}
	}
	b.tellPublished(from, to.path, message)
	return http.StatusAccepted, protocol.JSON(struct {
		Exchange   string `json:"exchange"`
		RoutingKey string `json:"routing_key"`
		Path       string `json:"path"`
	}{to.source.Exchange, message.Key, to.path}), nil
}
