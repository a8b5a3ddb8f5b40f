package amqpx

import (
	amqp "github.com/rabbitmq/amqp091-go"
)

// When an exchange is deleted, its bindings are deleted with it, and the broker sends no
// notification: the queue and its consumer remain, but nothing arrives any longer. A publisher
// that declares its exchange before each publish brings it back at once, so asking whether the
// exchange exists proves nothing. Two exchanges to which nothing is published prove it instead:
//
//	q_sentinel          ──► the link's exchange   gone as soon as the link's exchange is deleted
//	q_restart_sentinel  ──► the queue or stream   gone when a restart of the broker took the bindings
//
// The sentinel is deleted with its only binding, which is deleted with the link's exchange and
// does not come back with it. It is declared before the queue is bound, so if it exists, the
// bindings have existed without a break. If the broker has no bindings between exchanges (an
// extension of RabbitMQ's), or denies the user the sentinel, the link checks the exchange itself
// instead, and repeats the bindings. If the exchange comes back between two such checks, the link
// recovers, but does not know that there was a gap.
//
// Only a queue that outlives its link, or a stream, has a restart sentinel. The link's exchange
// is not durable: after a restart of the broker it is gone, and the bindings with it, while the
// queue still exists, and a publisher may have declared the exchange again before the link is
// back. The restart sentinel is not durable either. It is declared after the bindings, and is
// deleted with the queue that is bound to it. It says nothing about the messages and need not:
// a quorum queue or a stream keeps them. RabbitMQ with its metadata in Khepri keeps exchanges
// that are not durable over a restart, and with them the bindings and both sentinels.

func sentinelOf(queue string) string        { return queue + "_sentinel" }
func restartSentinelOf(queue string) string { return queue + "_restart_sentinel" }

// Both sentinels are declared alike.
const (
	sentinelDurable    = false
	sentinelAutoDelete = true
	sentinelInternal   = true
)

func declareSentinel(ch *amqp.Channel, name string) error {
	return ch.ExchangeDeclare(name, amqp.ExchangeFanout, sentinelDurable, sentinelAutoDelete, sentinelInternal, false, nil)
}

// askForSentinel returns an error if there is no sentinel of that name.
func askForSentinel(ch *amqp.Channel, name string) error {
	return ch.ExchangeDeclarePassive(name, amqp.ExchangeFanout, sentinelDurable, sentinelAutoDelete, sentinelInternal, false, nil)
}

// sentinelExists reports whether there is a sentinel of that name.
func (s *session) sentinelExists(name string) (bool, error) {
	exists, err := s.found(func(ch *amqp.Channel) error { return askForSentinel(ch, name) })
	return exists, topology("exchange", name, err)
}

// canBindExchanges reports whether the broker binds exchanges to each other.
func (s *session) canBindExchanges() bool {
	capabilities, _ := s.consuming.Properties["capabilities"].(amqp.Table)
	can, _ := capabilities["exchange_exchange_bindings"].(bool)
	return can
}

// openSentinel declares the sentinel. If the broker refuses it, cs.noSentinel is set; this
// is not an error.
func (s *session) openSentinel(cs *consumerState) error {
	cs.hasSentinel, cs.noSentinel = false, false
	if !s.canBindExchanges() {
		return nil
	}
	name := sentinelOf(cs.queueName())
	made, err := s.makeSentinel(name)
	if refusedWith(err, amqp.AccessRefused) || refusedWith(err, amqp.PreconditionFailed) || made && refusedWith(err, amqp.NotFound) {
		cs.noSentinel = true
		s.link.logNoSentinel(name, err)
		s.link.noteDenied(err)
		if refusedWith(err, amqp.PreconditionFailed) {
			return nil // something else has the name
		}
		return s.removeSentinel(name, true)
	}
	if cs.hasSentinel = err == nil; cs.hasSentinel {
		s.link.denied.Store(nil)
	}
	return topology("exchange", s.link.cfg.Exchange, err)
}

// makeSentinel declares a sentinel and binds the link's exchange to it. If made is true and
// err is not nil, the broker accepted both requests but still has no such exchange: it
// treats auto-delete differently from RabbitMQ, and must not be asked again every second.
func (s *session) makeSentinel(name string) (made bool, err error) {
	ch, err := s.consuming.Channel()
	if err != nil {
		return false, err
	}
	defer ch.Close()
	if err := declareSentinel(ch, name); err != nil {
		return false, err
	}
	const noWait = false
	if err := ch.ExchangeBind(s.link.cfg.Exchange, "", name, noWait, nil); err != nil {
		return false, err
	}
	return true, askForSentinel(ch, name)
}

// removeSentinel deletes what was declared of a sentinel, if the user may. ifUnused keeps a
// sentinel that is bound, because another reader of the stream relies on it.
func (s *session) removeSentinel(name string, ifUnused bool) error {
	ch, err := s.consuming.Channel()
	if err != nil {
		return err
	}
	defer ch.Close()
	const noWait = false
	if err := ch.ExchangeDelete(name, ifUnused, noWait); err != nil && !fromBroker(err) {
		return err
	}
	return nil
}

// logNoSentinel logs, once in a link's life, that the broker refuses the sentinel.
func (l *Link) logNoSentinel(name string, err error) {
	if l.loggedNoSentinel {
		return
	}
	l.loggedNoSentinel = true
	l.log.Info("the exchange cannot be watched: if it is deleted and declared again within a second, the gap goes unreported; let the user configure the sentinel, and write to the exchange",
		"sentinel", name, "exchange", l.cfg.Exchange, "error", withoutPermission(err, l.cfg.Exchange))
}

// sentinelStands reports whether the sentinel of an earlier session still exists. If there
// can be none, it reports whether the last session kept its bindings.
func (s *session) sentinelStands(cs *consumerState) (stands bool, err error) {
	if cs.noSentinel || !s.canBindExchanges() {
		cs.hasSentinel = false
		return !cs.bindingsLost, nil
	}
	cs.hasSentinel, err = s.sentinelExists(sentinelOf(cs.queueName()))
	return cs.hasSentinel, err
}

// bindingsIntact reports whether a queue that outlives its link has been bound without a break
// since it was first bound: both sentinels still exist. restart reports whether the restart
// sentinel does.
func (s *session) bindingsIntact(ch *amqp.Channel, cs *consumerState) (intact, restart bool, err error) {
	restart, err = s.sentinelExists(restartSentinelOf(cs.queueName()))
	if err != nil {
		return false, false, err
	}
	if !restart {
		intact, err = s.adoptOlderSentinels(ch, cs)
		return intact, intact, err
	}
	intact, err = s.sentinelStands(cs)
	return intact, true, err
}

// renewSentinels declares a new sentinel for a queue that outlives its link, before the queue
// is bound. The restart sentinel is declared last: until it exists, no link takes the bindings
// to be intact. intact reports whether the bindings are intact nevertheless, which they are not
// if the gate is gone.
func (s *session) renewSentinels(ch *amqp.Channel, cs *consumerState, restart, gate bool) (intact bool, err error) {
	if restart {
		if err := removeRestartSentinel(ch, cs.queueName()); err != nil {
			return false, err
		}
	}
	if err := s.openSentinel(cs); err != nil || !restart {
		return false, err
	}
	if cs.noSentinel && !cs.bindingsLost && gate {
		return true, makeRestartSentinel(ch, cs.queueName()) // there never was a sentinel
	}
	cs.backdate()
	return false, nil
}

// removeSentinel deletes the sentinel of a queue that dies with the link.
func (c *consumer) removeSentinel() {
	if cs := c.state; cs.hasSentinel && !cs.queue.livesOn() {
		const ifUnused, noWait = false, true
		// An error means that the connection is closed. Then the sentinel is deleted with the
		// exchange.
		_ = c.channel.ExchangeDelete(sentinelOf(cs.queueName()), ifUnused, noWait)
	}
}

// makeRestartSentinel declares the restart sentinel of a queue that is bound.
func makeRestartSentinel(ch *amqp.Channel, queue string) error {
	name := restartSentinelOf(queue)
	if err := declareSentinel(ch, name); err != nil {
		return topology("exchange", name, err)
	}
	const noWait = false
	return topology("queue", queue, ch.QueueBind(queue, "", name, noWait, nil))
}

// removeRestartSentinel deletes the restart sentinel, if it exists.
func removeRestartSentinel(ch *amqp.Channel, queue string) error {
	const ifUnused, noWait = false, false
	name := restartSentinelOf(queue)
	return topology("exchange", name, ch.ExchangeDelete(name, ifUnused, noWait))
}
