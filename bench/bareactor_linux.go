package bench

import (
	"fmt"
	"sync"

	amqp "github.com/rabbitmq/amqp091-go"

	"github.com/clu-ws/clu-ws/actor"
)

// bareActor replies to each command at once, on the exchange that the command was published to.
type bareActor struct {
	conns   []*amqp.Connection
	channel *amqp.Channel
	codes   []actor.Code // of the replies to each command; the last one is final
	body    []byte       // of each reply
	serving sync.WaitGroup
}

func startBareActor(url string, says []actor.Code, exchanges ...string) (*bareActor, error) {
	p, err := newPublisher(url, "")
	if err != nil {
		return nil, err
	}
	a := &bareActor{conns: []*amqp.Connection{p.conn}, channel: p.channel, codes: says, body: []byte("{}")}
	for _, exchange := range exchanges {
		conn, deliveries, err := consume(url, exchange, "command."+consumer+".#")
		if err != nil {
			a.close()
			return nil, fmt.Errorf("the bare actor: %w", err)
		}
		a.conns = append(a.conns, conn)
		a.serving.Go(func() {
			for d := range deliveries {
				a.reply(&d)
			}
		})
	}
	return a, nil
}

// reply replies to a command. An error shows at the commander, which misses the reply.
func (a *bareActor) reply(d *amqp.Delivery) {
	commander, _ := d.Headers["commander_id"].(string)
	for _, code := range a.codes {
		m := actor.Reply{Code: code, Sender: consumer, CommandID: d.CorrelationId, CommanderID: commander, Body: a.body}.Message()
		_ = a.channel.Publish(d.Exchange, m.Key, false, false, m.Publishing)
	}
}

func (a *bareActor) close() {
	for _, conn := range a.conns {
		conn.Close()
	}
	a.serving.Wait()
}
