package bench

import (
	"encoding/json"
	"fmt"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"

	"github.com/gobwas/ws"

	"github.com/clu-ws/clu-ws/actor"
)

const (
	// marker precedes the number in a reply's body. The bridge copies the body's bytes into the envelope, so a frame
	// contains it too.
	marker = `"sequence":`
	// digits is the length of every number, so that it is at the same offset in each frame.
	digits = 10
	// firstNumber is the number of the first reply: a JSON number has no leading zeros.
	firstNumber = 1_000_000_000
)

// exchange is the exchange of the measured replies: on a shared broker no actor and no page gets them.
const exchange = "clu_ws_bench"

// bareExchange is the exchange of the bare programs: the bridge that takes turns with them gets nothing of it.
const bareExchange = exchange + "_bare"

// defaultSender is the sender of the replies where that does not matter.
const defaultSender = "bench"

// reply returns the numbered reply as an actor publishes it. Its envelope has about 330 bytes, and the members of its body in
// more, each after a comma.
func reply(number uint64, sender, more string) (key string, p amqp.Publishing) {
	m := actor.Reply{
		Code:   actor.Info,
		Sender: sender,
		Body:   json.RawMessage(fmt.Sprintf(`{%s%0*d,"position":[12.3456,-65.4321]%s}`, marker, digits, number, more)),
		Time:   time.Now(),
	}.Message()
	return m.Key, m.Publishing
}

// replyFrame returns the frame in which a bridge sends the numbered reply to a client.
func replyFrame(number uint64) ([]byte, error) {
	key, p := reply(number, defaultSender, "")
	return envelopeFrame(amqp.Delivery{
		Headers:    p.Headers,
		Exchange:   exchange,
		RoutingKey: key,
		MessageId:  p.MessageId,
		Timestamp:  p.Timestamp,
		Body:       p.Body,
	})
}

// envelopeFrame returns the frame of a delivered reply.
func envelopeFrame(d amqp.Delivery) ([]byte, error) {
	envelope, err := actor.Envelope{}.Append(nil, &d)
	if err != nil {
		return nil, err
	}
	return ws.CompileFrame(ws.NewTextFrame(envelope))
}
