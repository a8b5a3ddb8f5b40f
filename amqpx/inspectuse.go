package amqpx

import (
	"errors"

	amqp "github.com/rabbitmq/amqp091-go"
)

// trialSuffix is the end of the name of a queue that exists only while an [Inspection] asks for it.
const trialSuffix = "_trial"

// Keep reports whether the queue that outlives its link, or the stream, exists, and returns an error if a link could not
// use it or not make it. One that exists stays as it is: the broker compares its properties. To find out whether one could
// be made, the same is made under a longer name and deleted at once, so that messages never reach it.
func (i *Inspection) Keep(q Queue) (exists bool, err error) {
	if err := q.check(); err != nil {
		return false, err
	}
	s := &session{link: i.link, url: i.url, consuming: i.conn}
	name, what := keptOf(q.Name), "queue"
	if q.Stream != nil {
		name, what = q.Stream.Name, "stream"
	}
	exists, err = s.found(func(ch *amqp.Channel) error {
		_, err := ch.QueueDeclarePassive(name, true, false, false, false, nil)
		return err
	})
	if err == nil {
		if exists {
			err = s.declareLike(q)
		} else {
			err = s.declareForATrial(q)
		}
	}
	if _, ok := errors.AsType[*topologyError](err); err != nil && !ok {
		err = topology(what, name, err)
	}
	if err != nil {
		return exists, explain(s.consuming.socket.cause(err), i.url, i.link.cfg)
	}
	return exists, nil
}

// declareLike declares a queue or stream as a link does.
func (s *session) declareLike(q Queue) error {
	if stream := q.Stream; stream != nil {
		_, err := s.declareAside(stream.Name, true, stream.arguments())
		if t, ok := errors.AsType[*topologyError](err); ok {
			t.what = "stream"
		}
		return err
	}
	cs := newConsumerState(q, s.link.cfg.Prefetch, s.link.log)
	cs.claim.queue = q.Name
	_, err := s.declareKept(cs)
	return err
}

// declareForATrial declares a queue or stream under a longer name, and deletes it.
func (s *session) declareForATrial(q Queue) error {
	q.Name += trialSuffix
	name := keptOf(q.Name)
	if q.Stream != nil {
		stream := *q.Stream
		stream.Name += trialSuffix
		q.Stream, name = &stream, stream.Name
	}
	if err := s.declareLike(q); err != nil {
		return err
	}
	ch, err := s.consuming.Channel()
	if err != nil {
		return err
	}
	defer ch.Close()
	const ifUnused, ifEmpty, noWait = false, false, false
	_, err = ch.QueueDelete(name, ifUnused, ifEmpty, noWait)
	return topology("queue", name, err)
}

// MayPublish returns an error if the user may not publish to the exchange, as far as the broker says so without a message.
// For that the exchange is to be bound to one that does not exist: the broker looks at the permissions first.
func (i *Inspection) MayPublish(exchange string) error {
	return i.denied(exchange, func(ch *amqp.Channel) error {
		const noWait = false
		return ch.ExchangeBind(exchange, "", i.link.cfg.Name+trialSuffix, noWait, nil)
	})
}

// MayMake returns an error if the user may not make the exchange, which does not exist. It is declared with an argument that
// no broker takes: RabbitMQ looks at the permission first.
func (i *Inspection) MayMake(exchange string, options ExchangeOptions) error {
	return i.denied(exchange, func(ch *amqp.Channel) error {
		const durable, autoDelete, internal, noWait = false, true, false, false
		err := ch.ExchangeDeclare(exchange, options.kind(), durable, autoDelete, internal, noWait, amqp.Table{"alternate-exchange": int32(0)})
		if err == nil {
			const ifUnused = true
			err = ch.ExchangeDelete(exchange, ifUnused, noWait)
		}
		return err
	})
}

// denied asks the broker on a channel of its own, and returns an error if the user lacks a permission for the exchange.
func (i *Inspection) denied(exchange string, ask func(*amqp.Channel) error) error {
	if i.conn.closesOverRefusals() {
		return nil
	}
	ch, err := i.conn.Channel()
	if err != nil {
		return explain(err, i.url, i.link.cfg)
	}
	defer ch.Close()
	err = ask(ch)
	if r, ok := readRefusal(err); ok && r.kind == "exchange" && r.name == exchange {
		return explain(topology("exchange", exchange, err), i.url, i.link.cfg)
	}
	return nil
}
