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

func sentinelOf(queue string) string { return queue + "_tie" }

// canBindExchanges reports whether the broker binds exchanges to each other.
func (s *session) canBindExchanges() bool {
	capabilities, _ := s.consuming.Properties["capabilities"].(amqp.Table)
	can, _ := capabilities["exchange_exchange_bindings"].(bool)
	return can
}

// openSentinel makes the tie. A broker that refuses it is asked in the other way.
func (s *session) openSentinel(cs *consumerState) error {
	cs.hasSentinel, cs.noSentinel = false, false
	if !s.canBindExchanges() {
		return nil
	}
	made, err := s.makeSentinel(cs)
	if refusedWith(err, amqp.AccessRefused) || refusedWith(err, amqp.PreconditionFailed) || made && refusedWith(err, amqp.NotFound) {
		cs.noSentinel = true
		s.link.logNoSentinel(sentinelOf(cs.queueName()), err)
		s.link.noteDenied(err)
		if refusedWith(err, amqp.PreconditionFailed) {
			return nil // what has its name is another's
		}
		return s.removeSentinel(cs, true)
	}
	if cs.hasSentinel = err == nil; cs.hasSentinel {
		s.link.denied.Store(nil)
	}
	return topology("exchange", s.link.cfg.Exchange, err)
}

// makeSentinel reports whether the tie was made, though it need not stand: of a broker that
// sees it otherwise than RabbitMQ, nobody must ask every second.
func (s *session) makeSentinel(cs *consumerState) (made bool, err error) {
	ch, err := s.consuming.Channel()
	if err != nil {
		return false, err
	}
	defer ch.Close()
	const durable, autoDelete, internal, noWait = false, true, true, false
	name := sentinelOf(cs.queueName())
	if err := ch.ExchangeDeclare(name, amqp.ExchangeFanout, durable, autoDelete, internal, noWait, nil); err != nil {
		return false, err
	}
	if err := ch.ExchangeBind(s.link.cfg.Exchange, "", name, noWait, nil); err != nil {
		return false, err
	}
	return true, askForSentinel(ch, cs)
}

// removeSentinel removes what was made of a tie, as far as that is allowed. With ifUnused a
// tie that is bound stays: it is that of another reader of the stream.
func (s *session) removeSentinel(cs *consumerState, ifUnused bool) error {
	ch, err := s.consuming.Channel()
	if err != nil {
		return err
	}
	defer ch.Close()
	const noWait = false
	if err := ch.ExchangeDelete(sentinelOf(cs.queueName()), ifUnused, noWait); err != nil && !fromBroker(err) {
		return err
	}
	return nil
}

// logNoSentinel says once that a tie is refused.
func (l *Link) logNoSentinel(name string, err error) {
	if !l.loggedNoSentinel {
		l.loggedNoSentinel = true
		l.log.Info("the exchange cannot be watched: if it is deleted and made again within a second, the gap is not told; let the user configure the tie, and write to the exchange",
			"tie", name, "exchange", l.cfg.Exchange, "error", withoutPermission(err, l.cfg.Exchange))
	}
}

// sentinelStands reports whether the tie of an earlier session stands. Where there can be none,
// it reports whether the last session saw the bindings go.
func (s *session) sentinelStands(cs *consumerState) (bool, error) {
	if cs.noSentinel || !s.canBindExchanges() {
		cs.hasSentinel = false
		return !cs.bindingsLost, nil
	}
	name := sentinelOf(cs.queueName())
	stands, err := s.found(func(ch *amqp.Channel) error { return askForSentinel(ch, cs) })
	cs.hasSentinel = stands
	return stands, topology("exchange", name, err)
}

func askForSentinel(ch *amqp.Channel, cs *consumerState) error {
	const durable, autoDelete, internal, noWait = false, true, true, false
	return ch.ExchangeDeclarePassive(sentinelOf(cs.queueName()), amqp.ExchangeFanout, durable, autoDelete, internal, noWait, nil)
}

// bindingsIntact reports whether the bindings of a queue that lives on have stood since they
// were made. They have not if either the witness or the tie is gone.
func (s *session) bindingsIntact(cs *consumerState) (stand, witnessed bool, err error) {
	if witnessed, err = s.restartSentinelStands(cs.queueName()); err != nil || !witnessed {
		return false, false, err
	}
	held, err := s.sentinelStands(cs)
	return held, true, err
}

// renewSentinels makes a new tie for a queue that lives on, before it is bound. Nobody may take
// the bindings for whole until the witness is made, last of all. It reports whether
// they are whole nevertheless, which they are not if the gate is gone.
func (s *session) renewSentinels(ch *amqp.Channel, cs *consumerState, witnessed, gate bool) (whole bool, err error) {
	if witnessed {
		if err := removeRestartSentinel(ch, cs.queueName()); err != nil {
			return false, err
		}
	}
	if err := s.openSentinel(cs); err != nil || !witnessed {
		return false, err
	}
	if cs.noSentinel && !cs.bindingsLost && gate {
		return true, makeRestartSentinel(ch, cs.queueName()) // there never was a tie
	}
	cs.backdate()
	return false, nil
}

// removeSentinel removes the tie of a queue that goes with the link.
func (c *consumer) removeSentinel() {
	if cs := c.state; cs.hasSentinel && cs.queue.Expires == 0 && cs.queue.Stream == nil {
		const ifUnused, noWait = false, true
		// An error means that the connection is closed. Then it goes with the exchange.
		_ = c.channel.ExchangeDelete(sentinelOf(cs.queueName()), ifUnused, noWait)
	}
}
