package amqpx

import (
	"cmp"

	amqp "github.com/rabbitmq/amqp091-go"
)

// ExchangeOptions says what the link's exchange is. The zero value is CLU's: of the type
// topic, not durable, deleted with its last queue, and refused if it exists as
// anything else.
type ExchangeOptions struct {
	// Type is topic or fanout. "" is topic.
	Type string
	// AsItIs takes an exchange that exists, whatever its type and flags; only one
	// that is missing is declared.
	Passive bool
	// Stays has a declared exchange outlive its last queue.
	Persistent bool
}

func (s *session) declareExchange(ch *amqp.Channel) error {
	name, like := s.link.cfg.Exchange, s.link.cfg.ExchangeOptions
	kind := cmp.Or(like.Type, amqp.ExchangeTopic)
	if like.Passive {
		there, err := s.found(s.askForExchange)
		if there || err != nil {
			return topology("exchange", name, err)
		}
	}
	const durable, internal, noWait = false, false, false
	return topology("exchange", name, ch.ExchangeDeclare(name, kind, durable, !like.Persistent, internal, noWait, nil))
}

// askForExchange is an error if there is no such exchange.
func (s *session) askForExchange(ch *amqp.Channel) error {
	kind := cmp.Or(s.link.cfg.ExchangeOptions.Type, amqp.ExchangeTopic)
	return ch.ExchangeDeclarePassive(s.link.cfg.Exchange, kind, false, false, false, false, nil)
}

// declareAlone makes the exchange of a link that consumes nothing.
func (s *session) declareAlone() error {
	ch, err := s.consuming.Channel()
	if err != nil {
		return err
	}
	if err := s.declareExchange(ch); err != nil {
		return err
	}
	return ch.Close()
}
