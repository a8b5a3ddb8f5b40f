package amqpx

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"
)

// deadLetterReader reads the dead letters of a consumed queue.
type deadLetterReader struct {
	state   *consumerState
	link    *Link
	queue   string        // the consumed queue
	dropped chan struct{} // wakes the consumer of the queue; holds a token
	fresh   bool          // the consumed queue is new
	late    bool          // the session began without it
	opened  chan struct{} // closed when the following fields are valid
	err     error
	before  bool // there were dead letters before
	letters <-chan amqp.Delivery
}

// openDeadLetters declares the queue of the dead letters of a consumed queue, and reads it. args
// are those of a kept queue, or nil for a queue that dies with the connection; existed reports whether
// the consumed queue was there before. With a broker that does not dead-letter there is no such queue.
func (s *session) openDeadLetters(ctx context.Context, cs *consumerState, consumed string, args amqp.Table, existed bool) error {
	cs.removals.unread = false
	if !cs.removals.deadLettered {
		return nil
	}
	r := &deadLetterReader{state: cs, link: s.link, queue: consumed, fresh: !existed, dropped: make(chan struct{}, 1), opened: make(chan struct{})}
	err := s.tryReadDeadLetters(ctx, r, args)
	s.deadLetterReaders = append(s.deadLetterReaders, r)
	r.late = errors.Is(err, errNoDeadLetters)
	if r.late || fromBroker(err) {
		cs.removals.deadLettered, cs.removals.unread = false, r.late
		s.link.logNoDeadLetters(consumed, err)
		err = nil
	}
	if !r.late {
		r.noteBefore()
	}
	return err
}

var errNoDeadLetters = fmt.Errorf("the queue of the dead letters did not answer within %v; does it have a leader?", deadLetterTimeout)

// tryReadDeadLetters opens a reader. With errNoDeadLetters it is not open yet, because the broker has not answered.
func (s *session) tryReadDeadLetters(ctx context.Context, r *deadLetterReader, args amqp.Table) error {
	s.tasks.Go(func() {
		defer close(r.opened)
		if r.err = s.openReader(r, args); refusedWith(r.err, amqp.ResourceLocked) {
			wait(ctx, lockedRetry) // the broker deletes the queues of a connection one by one
			r.err = s.openReader(r, args)
		}
	})
	patience := time.NewTimer(deadLetterTimeout)
	defer patience.Stop()
	select {
	case <-r.opened:
		return r.err
	case <-patience.C:
		return errNoDeadLetters
	case <-ctx.Done():
		return ctx.Err()
	}
}

// noteBefore notes, until it is reported, that messages were removed before. The caller holds the consumer's state; if the
// reader is not open, nothing is known.
func (r *deadLetterReader) noteBefore() {
	select {
	case <-r.opened:
		r.state.removals.beforeSession = r.state.removals.beforeSession || r.before
	default:
	}
}

// noteRemovals is noteBefore for all readers of a session that never served, whose goroutines have ended.
func (s *session) noteRemovals() {
	for _, r := range s.deadLetterReaders {
		r.noteBefore()
	}
}

// adopt is called when the broker has answered late. What it removed before there was a queue for it went unnoticed. The
// session may break before its consumer tells what was removed.
func (r *deadLetterReader) adopt() {
	r.state.mu.Lock()
	defer r.state.mu.Unlock()
	d := &r.state.removals
	r.before = r.before || r.fresh && r.err == nil
	if r.noteBefore(); r.before {
		d.beforeFrom = d.before
		r.announce()
	}
	if r.err == nil {
		d.unread = r.before // until the consumer has noted it
		r.link.loggedNoDeadLetters.Store(false)
		r.link.log.Info("the broker dead-letters after all: what a policy removes from the queue is within a gap from now on", "queue", r.queue)
	} else if fromBroker(r.err) {
		d.unread = false
		r.link.loggedNoDeadLetters.Store(false) // there is another reason
		r.link.logNoDeadLetters(r.queue, r.err)
	}
}

// announce tells the consumer that messages were removed.
func (r *deadLetterReader) announce() {
	select {
	case r.dropped <- struct{}{}:
	default:
	}
}

// removalsOf returns the channel that announces dead letters to the consumer, or nil.
func (s *session) removalsOf(cs *consumerState) <-chan struct{} {
	for _, r := range s.deadLetterReaders {
		if r.state == cs {
			return r.dropped
		}
	}
	return nil
}

func (s *session) openReader(r *deadLetterReader, args amqp.Table) error {
	ch, err := s.consuming.Channel()
	if err != nil {
		return err
	}
	name := deadLetterQueueOf(r.queue)
	durable := args != nil
	args = maps.Clone(args)
	if args == nil {
		args = amqp.Table{}
	}
	args[amqp.QueueMaxLenArg] = 1
	const autoDelete, noWait = false, false
	q, err := ch.QueueDeclare(name, durable, autoDelete, !durable, noWait, args)
	if err != nil {
		return topology("queue", name, err)
	}
	if q.Messages > 0 {
		_, err := ch.QueuePurge(name, noWait)
		r.before = !refusedWith(err, amqp.AccessRefused) // that letter stays, and would be told again each time
		if err != nil {
			return topology("queue", name, err)
		}
	}
	// The next letter is prefetched while the last one waits: in the queue, a policy might remove
	// it.
	if err := ch.Qos(2, 0, false); err != nil {
		return err
	}
	const autoAck, exclusive, noLocal = false, false, false
	r.letters, err = ch.Consume(name, "dropped", autoAck, exclusive, noLocal, noWait, nil)
	if err != nil {
		return topology("queue", name, err)
	}
	s.watch(s.consuming, ch.NotifyClose(make(chan *amqp.Error, 1)), "the channel of queue "+name)
	return nil
}

// run ends with the connection or with the session.
func (r *deadLetterReader) run(done <-chan struct{}) {
	if <-r.opened; r.late {
		r.adopt()
	}
	if r.err != nil {
		return
	}
	var logged time.Time
	pause := time.NewTimer(0)
	defer pause.Stop()
	for d := range r.letters {
		reason, _ := d.Headers[deathReason].(string)
		if reason == "rejected" { // by the link itself, which reports it
			_ = d.Ack(false)
			continue
		}
		r.announce()
		if time.Since(logged) >= deadLetterLogEvery {
			logged = time.Now()
			r.link.log.Warn("the broker removes messages from the queue before they are delivered: "+cmp.Or(deathReasons[reason], reason),
				"queue", r.queue)
		}
		pause.Reset(deadLetterEvery)
		select {
		case <-pause.C:
		case <-done:
			return
		}
		// An error means that the channel is closed, which ends the letters.
		_ = d.Ack(false)
	}
}

// deathReasons say what can be done about each reason.
var deathReasons = map[string]string{
	"maxlen":         "a policy limits the queue's length (max-length, max-length-bytes); exempt the queue from it",
	"expired":        "a policy limits the messages' age (message-ttl), or their sender does (expiration); exempt the queue from it",
	"delivery_limit": "a policy limits how often they are delivered (delivery-limit); exempt the queue from it",
}
