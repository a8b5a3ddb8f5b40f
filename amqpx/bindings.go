package amqpx

import (
	"errors"
	"fmt"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"
)

const (
	// checkEvery is how often the broker is asked whether the bindings exist. RabbitMQ 3.10
	// answers in a seventh of a millisecond.
	checkEvery = time.Second
	// rebindEvery is how often the bindings are made again, in case a single one was removed,
	// which no sentinel shows.
	rebindEvery = 10 * time.Second
	// rebindAfterRefusal is how long the link waits before it makes bindings again once the
	// broker has refused one: the broker logs each refusal.
	rebindAfterRefusal = time.Minute
)

// unboundError ends a session whose bindings are gone.
type unboundError struct{ exchange string }

func (e *unboundError) Error() string {
	return fmt.Sprintf("the exchange %q was deleted, and its bindings with it; it is declared again", e.exchange)
}

func isUnbound(err error) bool {
	_, ok := errors.AsType[*unboundError](err)
	return ok
}

// bindingChecker repeatedly asks the broker whether the bindings exist, and ends the
// session if they do not. It belongs to a goroutine of the session.
type bindingChecker struct {
	session   *session
	channel   *amqp.Channel // nil before the first check
	rebindAt  time.Time     // when bindings that a sentinel watches are next made again
	refusedTo time.Time     // no binding is made again before this time
	recheckAt time.Time     // when a denied permission is next tried again
}

// checkBindings checks the bindings until done is closed.
func (s *session) checkBindings(done <-chan struct{}) {
	if len(s.link.consumerStates) == 0 {
		return
	}
	now := time.Now()
	b := &bindingChecker{session: s, rebindAt: now.Add(rebindEvery), recheckAt: now.Add(recheckFirst)}
	tick := time.NewTicker(checkEvery)
	defer tick.Stop()
	for {
		select {
		case <-done:
			return
		case <-tick.C:
		}
		if !b.check(time.Now()) {
			return
		}
	}
}

// check reports whether the session goes on.
func (b *bindingChecker) check(now time.Time) bool {
	s := b.session
	err := b.checkAll(now)
	// The end of the connection is no answer: the broker may have sent it before the request.
	if err == nil || fromBroker(err) && !s.consuming.IsClosed() {
		s.answered.Store(int64(now.Sub(s.began)))
	}
	switch {
	case err == nil:
		s.verified.Store(int64(now.Sub(s.began)))
	case isUnbound(err):
		s.fail(err)
		return false
	case refusedWith(err, amqp.NotFound):
		s.fail(&unboundError{s.link.cfg.Exchange})
		return false
	case s.consuming.IsClosed():
		return false // the watcher of the connection reports why
	default:
		// The broker may refuse to repeat a binding that it has made before: that binding exists.
		b.refusedTo = now.Add(rebindAfterRefusal)
	}
	return true
}

func (b *bindingChecker) checkAll(now time.Time) (err error) {
	if b.channel == nil || b.channel.IsClosed() {
		if b.channel, err = b.session.consuming.Channel(); err != nil {
			return err
		}
	}
	rebind := !now.Before(b.rebindAt)
	if rebind {
		b.rebindAt = now.Add(rebindEvery)
	}
	recheck := !now.Before(b.recheckAt)
	if recheck {
		b.recheckAt = now.Add(recheckEvery)
	}
	for _, cs := range b.session.link.consumerStates {
		if err := b.checkQueue(cs, now, rebind, recheck); err != nil {
			return err
		}
	}
	return nil
}

// checkQueue checks the bindings of one queue. Without a sentinel, only a new binding shows
// that the queue is bound.
func (b *bindingChecker) checkQueue(cs *consumerState, now time.Time, rebind, recheck bool) error {
	if cs.hasGate {
		if err := askForGate(b.channel, cs); refusedWith(err, amqp.NotFound) {
			return &unboundError{gateOf(cs.queueName())}
		} else if err != nil {
			return err
		}
	}
	if cs.hasSentinel {
		if err := askForSentinel(b.channel, sentinelOf(cs.queueName())); err != nil || !rebind {
			return err
		}
	} else if err := b.session.askForExchange(b.channel); err != nil {
		return err
	}
	if recheck {
		b.session.recheckWrite(cs)
	}
	if now.Before(b.refusedTo) {
		return nil
	}
	for _, pattern := range cs.queue.Bindings {
		if err := b.session.bindPattern(b.channel, cs, pattern); err != nil {
			return err
		}
	}
	return nil
}

// lastVerified returns when the bindings were last found to exist.
func (s *session) lastVerified() time.Time { return s.began.Add(time.Duration(s.verified.Load())) }

// lastAnswered returns when the last request that the broker answered was made.
func (s *session) lastAnswered() time.Time { return s.began.Add(time.Duration(s.answered.Load())) }

// noteBindingsLost records at the end of a session that its bindings were gone, as found by
// a check or by the publisher, which uses the same exchange.
func (s *session) noteBindingsLost() {
	if !isUnbound(s.reason) && !refusedWith(s.reason, amqp.NotFound) {
		return
	}
	for _, cs := range s.link.consumerStates {
		cs.bindingsLost = true
		cs.backdate()
	}
}
