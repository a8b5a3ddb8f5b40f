package bridge

import (
	"reflect"
	"testing"

	"github.com/clu-ws/clu-ws/actor"
	"github.com/clu-ws/clu-ws/amqpx"
)

// Every field that a filter may test is read from the delivery, but for the keywords, which package hub reads
// from the body.
func TestADeliveryHasEveryFieldOfAFilter(t *testing.T) {
	d := &amqpx.Delivery{RoutingKey: "reply.bridge.dome", Body: []byte(`{}`), Headers: amqpx.Table{
		"sender": "dome", "message_code": string(actor.Info), "command_id": "id", "commander_id": "bridge.dome", "internal": true,
	}}
	r := newReply(d, nil, 0)
	fields := reflect.ValueOf(r.Reply)
	for i := range fields.NumField() {
		name := fields.Type().Field(i).Name
		if inBody := name == "Keywords" || name == "About"; !inBody && fields.Field(i).IsZero() {
			t.Errorf("%s was not read from %v", name, d.Headers)
		}
	}
}
