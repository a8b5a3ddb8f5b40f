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
	// marker stands in front of the number in a reply's body. The bridge splices
	// the body's own bytes into the envelope, so it is found there again.
	marker = `"sequence":`
	// digits is how many the number has, always, so that it lies at the same
	// place in each frame.
	digits = 10
	// firstNumber is the number of the first reply: a JSON number has no zeros in front.
	firstNumber = 1_000_000_000
)

// exchange is the one that the measured replies take: on a broker that others
// use too, no actor and no page notices them.
const exchange = "clu_ws_bench"

// bareExchange is for what the bare programs do among themselves: the bridge
// that takes turns with them hears nothing of it.
const bareExchange = exchange + "_bare"

// defaultSender is who sends the replies, where that does not matter.
const defaultSender = "bench"

// reply is the numbered reply as an actor publishes it. Its envelope has about
// 330 bytes.
func reply(number uint64, sender string) (key string, p amqp.Publishing) {
	m := actor.Reply{
		Code:   actor.Info,
		Sender: sender,
		Body:   json.RawMessage(fmt.Sprintf(`{%s%0*d,"position":[12.3456,-65.4321]}`, marker, digits, number)),
		Time:   time.Now(),
	}.Message()
	return m.Key, m.Publishing
}

// replyFrame is the frame by which a bridge brings the numbered reply to a client.
func replyFrame(number uint64) ([]byte, error) {
	key, p := reply(number, defaultSender)
	return envelopeFrame(amqp.Delivery{
		Headers:    p.Headers,
		Exchange:   exchange,
		RoutingKey: key,
		MessageId:  p.MessageId,
		Timestamp:  p.Timestamp,
		Body:       p.Body,
	})
}

// envelopeFrame is the frame of a reply as the broker delivers it.
func envelopeFrame(d amqp.Delivery) ([]byte, error) {
	envelope, err := actor.Envelope{}.Append(nil, &d)
	if err != nil {
		return nil, err
	}
	return ws.CompileFrame(ws.NewTextFrame(envelope))
}
