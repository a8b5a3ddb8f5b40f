package amqpx

import amqp "github.com/rabbitmq/amqp091-go"

// Who deletes an exchange deletes its bindings, and tells nobody: the queue stands, its
// consumer stands, and nothing comes any more. Actors declare their exchange again as
// soon as they publish, so to ask whether it is there does not tell.
//
// A tie does. It is an exchange that nobody publishes to, deleted with its last binding,
// and bound to the link's exchange: it is gone as soon as that is deleted, and does
// not come back with it. It is made before the queue is bound, so that the bindings
// have stood while it stands. It is not deleted with the queue, as a witness is.
//
// A broker without bindings between exchanges (an extension of RabbitMQ's), or one
// that grants the user no tie, is asked for the exchange itself, and bound to again.
// If the exchange comes back between two questions, that heals it, and nobody knows of
// the gap.

func tieOf(queue string) string { return queue + "_tie" }

// canTie reports whether the broker binds exchanges to each other.
func (s *session) canTie() bool {
	capabilities, _ := s.consuming.Properties["capabilities"].(amqp.Table)
	can, _ := capabilities["exchange_exchange_bindings"].(bool)
	return can
}

// tie makes the tie. A broker that refuses it is asked in the other way.
func (s *session) tie(in *intake) error {
	in.tied, in.untieable = false, false
	if !s.canTie() {
		return nil
	}
	made, err := s.makeTie(in)
	if refusedWith(err, amqp.AccessRefused) || refusedWith(err, amqp.PreconditionFailed) || made && refusedWith(err, amqp.NotFound) {
		in.untieable = true
		s.link.untied(tieOf(in.holder()), err)
		s.link.noteForbidden(err)
		if refusedWith(err, amqp.PreconditionFailed) {
			return nil // what has its name is another's
		}
		return s.removeTie(in, true)
	}
	if in.tied = err == nil; in.tied {
		s.link.forbidden.Store(nil)
	}
	return topology("exchange", s.link.cfg.Exchange, err)
}

// makeTie reports whether the tie was made, though it need not stand: of a broker that
// sees it otherwise than RabbitMQ, nobody must ask every second.
func (s *session) makeTie(in *intake) (made bool, err error) {
	ch, err := s.consuming.Channel()
	if err != nil {
		return false, err
	}
	defer ch.Close()
	const durable, autoDelete, internal, noWait = false, true, true, false
	name := tieOf(in.holder())
	if err := ch.ExchangeDeclare(name, amqp.ExchangeFanout, durable, autoDelete, internal, noWait, nil); err != nil {
		return false, err
	}
	if err := ch.ExchangeBind(s.link.cfg.Exchange, "", name, noWait, nil); err != nil {
		return false, err
	}
	return true, askForTie(ch, in)
}

// removeTie removes what was made of a tie, as far as that is allowed. With ifUnused a
// tie that is bound stays: it is that of another reader of the stream.
func (s *session) removeTie(in *intake, ifUnused bool) error {
	ch, err := s.consuming.Channel()
	if err != nil {
		return err
	}
	defer ch.Close()
	const noWait = false
	if err := ch.ExchangeDelete(tieOf(in.holder()), ifUnused, noWait); err != nil && !fromBroker(err) {
		return err
	}
	return nil
}

// untied says once that a tie is refused.
func (l *Link) untied(name string, err error) {
	if !l.toldUntied {
		l.toldUntied = true
		l.log.Info("the exchange cannot be watched: if it is deleted and made again within a second, the gap is not told; let the user configure the tie, and write to the exchange",
			"tie", name, "exchange", l.cfg.Exchange, "error", withoutPermission(err, l.cfg.Exchange))
	}
}

// holds reports whether the tie of an earlier session stands. Where there can be none,
// it reports whether the last session saw the bindings go.
func (s *session) holds(in *intake) (bool, error) {
	if in.untieable || !s.canTie() {
		in.tied = false
		return !in.torn, nil
	}
	name := tieOf(in.holder())
	stands, err := s.found(func(ch *amqp.Channel) error { return askForTie(ch, in) })
	in.tied = stands
	return stands, topology("exchange", name, err)
}

func askForTie(ch *amqp.Channel, in *intake) error {
	const durable, autoDelete, internal, noWait = false, true, true, false
	return ch.ExchangeDeclarePassive(tieOf(in.holder()), amqp.ExchangeFanout, durable, autoDelete, internal, noWait, nil)
}

// standing reports whether the bindings of a queue that lives on have stood since they
// were made. They have not if either the witness or the tie is gone.
func (s *session) standing(in *intake) (stand, witnessed bool, err error) {
	if witnessed, err = s.witnessed(in.holder()); err != nil || !witnessed {
		return false, false, err
	}
	held, err := s.holds(in)
	return held, true, err
}

// renew makes a new tie for a queue that lives on, before it is bound. Nobody may take
// the bindings for whole until the witness is made, last of all. It reports whether
// they are whole nevertheless, which they are not if the gate is gone.
func (s *session) renew(ch *amqp.Channel, in *intake, witnessed, gate bool) (whole bool, err error) {
	if witnessed {
		if err := dropWitness(ch, in.holder()); err != nil {
			return false, err
		}
	}
	if err := s.tie(in); err != nil || !witnessed {
		return false, err
	}
	if in.untieable && !in.torn && gate {
		return true, bearWitness(ch, in.holder()) // there never was a tie
	}
	in.backdate()
	return false, nil
}

// untie removes the tie of a queue that goes with the link.
func (c *consumer) untie() {
	if in := c.intake; in.tied && in.queue.Expires == 0 && in.queue.Stream == nil {
		const ifUnused, noWait = false, true
		// An error means that the connection is closed. Then it goes with the exchange.
		_ = c.channel.ExchangeDelete(tieOf(in.holder()), ifUnused, noWait)
	}
}
