package amqpx

import (
	"errors"
	"fmt"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"
)

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

// checkEvery is how often the broker is asked. RabbitMQ 3.10 answers in a seventh of a
// millisecond.
const checkEvery = time.Second

// bindEvery is after how many questions the bindings are made again, in case somebody
// removed one of them alone, of which no tie knows.
const bindEvery = 10

func tieOf(queue string) string { return queue + "_tie" }

// unboundError ends a session whose bindings are gone.
type unboundError struct{ exchange string }

func (e *unboundError) Error() string {
	return fmt.Sprintf("the exchange %q was deleted, and with it what was bound to it; it is declared again", e.exchange)
}

// canTie tells whether the broker binds exchanges to each other.
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
		return s.removeTie(in, true)
	}
	if in.tied = err == nil; in.tied {
		s.link.forbidden.Store(nil)
	}
	return topology("exchange", s.link.cfg.Exchange, err)
}

// makeTie tells whether the tie was made, though it need not stand: of a broker that
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
	if err := ch.ExchangeDelete(tieOf(in.holder()), ifUnused, noWait); err != nil && !said(err) {
		return err
	}
	return nil
}

// untied says once that a tie is refused.
func (l *Link) untied(name string, err error) {
	if !l.toldUntied {
		l.toldUntied = true
		l.log.Info("the broker grants no tie: if the exchange is deleted and made again within a second, the gap is not told; let the user configure the tie, and write to the exchange",
			"tie", name, "exchange", l.cfg.Exchange, "error", err)
	}
}

// holds tells whether the tie of an earlier session stands. Where there can be none,
// it tells whether the last session saw the bindings go.
func (s *session) holds(in *intake) (bool, error) {
	if in.untieable || !s.canTie() {
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

// standing tells whether the bindings of a queue that lives on have stood since they
// were made. They have not if either the witness or the tie is gone.
func (s *session) standing(in *intake) (stand, witnessed bool, err error) {
	if witnessed, err = s.witnessed(in.holder()); err != nil || !witnessed {
		return false, false, err
	}
	held, err := s.holds(in)
	return held, true, err
}

// renew makes a new tie for a queue that lives on, before it is bound. Nobody may take
// the bindings for whole until the witness is made, last of all. It tells whether
// they are whole nevertheless.
func (s *session) renew(ch *amqp.Channel, in *intake, witnessed bool) (whole bool, err error) {
	if witnessed {
		if err := dropWitness(ch, in.holder()); err != nil {
			return false, err
		}
	}
	if err := s.tie(in); err != nil || !witnessed {
		return false, err
	}
	if in.untieable && !in.torn {
		return true, bearWitness(ch, in.holder()) // there never was a tie
	}
	in.backdate()
	return false, nil
}

// checkBindings asks again and again whether the bindings stand, and ends the session
// if they do not.
func (s *session) checkBindings(done <-chan struct{}) {
	if len(s.link.intakes) == 0 {
		return
	}
	tick := time.NewTicker(checkEvery)
	defer tick.Stop()
	var ch *amqp.Channel
	for n := 1; ; n++ {
		select {
		case <-done:
			return
		case <-tick.C:
		}
		asked := time.Now()
		var err error
		if ch == nil || ch.IsClosed() {
			if ch, err = s.consuming.Channel(); err != nil {
				return // who closed the connection says why
			}
		}
		for _, in := range s.link.intakes {
			if err == nil {
				err = s.checkBinding(ch, in, n)
			}
		}
		switch {
		case err == nil:
			s.stood.Store(int64(asked.Sub(s.began)))
		case refusedWith(err, amqp.NotFound):
			s.fail(&unboundError{s.link.cfg.Exchange})
			return
		case s.consuming.IsClosed():
			return
		}
		// The broker may refuse to bind again what it once bound: that binding stands.
	}
}

// checkBinding asks for the n-th time whether the bindings of a queue stand.
func (s *session) checkBinding(ch *amqp.Channel, in *intake, n int) (err error) {
	exchange := s.link.cfg.Exchange
	if in.tied {
		err = askForTie(ch, in)
	} else {
		err = s.askForExchange(ch)
	}
	if in.tied && n%bindEvery != 0 {
		return err
	}
	if n%askAgainEvery == 0 {
		s.askAgain(in)
	}
	for _, pattern := range in.queue.Bindings {
		if err == nil {
			err = ch.QueueBind(in.holder(), pattern, exchange, false, nil)
		}
	}
	return err
}

// untie removes the tie of a queue that goes with the link.
func (c *consumer) untie() {
	if in := c.intake; in.tied && in.queue.Expires == 0 && in.queue.Stream == nil {
		const ifUnused, noWait = false, true
		// An error means that the connection is closed. Then it goes with the exchange.
		_ = c.channel.ExchangeDelete(tieOf(in.holder()), ifUnused, noWait)
	}
}

// lastStood is when the bindings were last found to stand.
func (s *session) lastStood() time.Time { return s.began.Add(time.Duration(s.stood.Load())) }

// noteTorn remembers, when a session has ended, that its bindings were gone: a check
// found out, or the publisher, whose exchange is the same.
func (s *session) noteTorn() {
	_, unbound := errors.AsType[*unboundError](s.reason)
	if unbound || refusedWith(s.reason, amqp.NotFound) {
		for _, in := range s.link.intakes {
			in.torn = true
			in.backdate()
		}
	}
}
