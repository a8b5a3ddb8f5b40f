package amqpx

import (
	"errors"
	"fmt"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"
)

// checkEvery is how often the broker is asked. RabbitMQ 3.10 answers in a seventh of a
// millisecond.
const checkEvery = time.Second

// bindEvery is after how many questions the bindings are made again, in case somebody
// removed one of them alone, of which no tie knows.
const bindEvery = 10

// rebindAfter is after how many questions a binding that was refused is made again.
const rebindAfter = 60

// unboundError ends a session whose bindings are gone.
type unboundError struct{ exchange string }

func (e *unboundError) Error() string {
	return fmt.Sprintf("the exchange %q was deleted, and with it what was bound to it; it is declared again", e.exchange)
}

func isUnbound(err error) bool {
	_, ok := errors.AsType[*unboundError](err)
	return ok
}

// checkBindings asks again and again whether the bindings stand, and ends the session
// if they do not.
func (s *session) checkBindings(done <-chan struct{}) {
	if len(s.link.consumerStates) == 0 {
		return
	}
	tick := time.NewTicker(checkEvery)
	defer tick.Stop()
	var ch *amqp.Channel
	bindFrom := 0
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
		for _, cs := range s.link.consumerStates {
			if err == nil {
				err = s.checkBinding(ch, cs, n, n >= bindFrom)
			}
		}
		if err == nil || fromBroker(err) {
			s.answered.Store(int64(asked.Sub(s.began)))
		}
		switch {
		case err == nil:
			s.verified.Store(int64(asked.Sub(s.began)))
		case isUnbound(err):
			s.fail(err)
			return
		case refusedWith(err, amqp.NotFound):
			s.fail(&unboundError{s.link.cfg.Exchange})
			return
		case s.consuming.IsClosed():
			return
		default:
			// The broker may refuse to bind again what it once bound: that binding stands.
			// It has a line of its log for each refusal.
			bindFrom = n + rebindAfter
		}
	}
}

// checkBinding asks for the n-th time whether the bindings of a queue stand, and makes
// them again if it may.
func (s *session) checkBinding(ch *amqp.Channel, cs *consumerState, n int, bind bool) (err error) {
	if cs.hasGate {
		if err := askForGate(ch, cs); refusedWith(err, amqp.NotFound) {
			return &unboundError{gateOf(cs.queueName())}
		} else if err != nil {
			return err
		}
	}
	if cs.hasSentinel {
		err = askForSentinel(ch, sentinelOf(cs.queueName()))
	} else {
		err = s.askForExchange(ch)
	}
	if cs.hasSentinel && n%bindEvery != 0 {
		return err
	}
	if n%recheckEvery == recheckFirst {
		s.recheckWrite(cs)
	}
	for _, pattern := range cs.queue.Bindings {
		if bind && err == nil {
			err = s.bindPattern(ch, cs, pattern)
		}
	}
	return err
}

// lastVerified is when the bindings were last found to stand.
func (s *session) lastVerified() time.Time { return s.began.Add(time.Duration(s.verified.Load())) }

// lastAnswered is when the last question that the broker has answered was asked.
func (s *session) lastAnswered() time.Time { return s.began.Add(time.Duration(s.answered.Load())) }

// noteBindingsLost remembers, when a session has ended, that its bindings were gone: a check
// found out, or the publisher, whose exchange is the same.
func (s *session) noteBindingsLost() {
	if isUnbound(s.reason) || refusedWith(s.reason, amqp.NotFound) {
		for _, cs := range s.link.consumerStates {
			cs.bindingsLost = true
			cs.backdate()
		}
	}
}
