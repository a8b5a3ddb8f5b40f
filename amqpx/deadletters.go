package amqpx

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"strings"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"
)

// A policy of the broker (message-ttl, max-length), or the expiration that a sender gave
// its message, removes messages from a queue, and nobody is told. So a queue that is
// consumed has the broker dead-letter them, through the default exchange, into a queue
// beside it. What comes there tells that messages are missing between what was
// delivered last and what comes next: a gap.
//
// The queue beside it holds one message, and is read one a second: what a flood
// removes costs little, and a gap is told once a second while it goes on.
//
// A policy that has the broker reject what does not fit is overruled by an argument of
// the queue where the broker allows that (RabbitMQ: not on a quorum queue); otherwise
// nothing is dead-lettered, and only the publisher hears of it.

const (
	deadLetterExchange = "x-dead-letter-exchange"
	deadLetterKey      = "x-dead-letter-routing-key"
	// deathReason is a header of a dead letter: maxlen, expired, delivery_limit, rejected.
	deathReason = "x-first-death-reason"
)

const (
	// deadLetterEvery is how long the next dead letter waits for the last one.
	deadLetterEvery = time.Second
	// deadLetterLag is longer than that and the way of a dead letter together.
	deadLetterLag = 2 * time.Second
	// deadLetterTimeout is how long the link waits for the queue of the dead letters: a quorum
	// queue without a leader answers nobody.
	deadLetterTimeout = 3 * time.Second
	// deadLetterLogEvery is how often the log says why messages are removed.
	deadLetterLogEvery = time.Minute
)

func deadLetterQueueOf(queue string) string { return queue + "_dropped" }

// deadLetterArguments are the arguments with which the broker dead-letters what it removes
// from the queue.
func deadLetterArguments(queue string) amqp.Table {
	return amqp.Table{
		deadLetterExchange:    "",
		deadLetterKey:         deadLetterQueueOf(queue),
		amqp.QueueOverflowArg: amqp.QueueOverflowDropHead,
	}
}

// refusesArguments reports whether a broker may have refused a queue for the sake of its
// arguments: it does not know them, or the user may not write to the default exchange.
func refusesArguments(err error) bool {
	return refusedWith(err, amqp.AccessRefused) || refusedWith(err, amqp.PreconditionFailed) || refusedWith(err, amqp.NotImplemented)
}

// declareDeadLettering declares a queue that dead-letters, or one that does not if the broker
// refuses that.
func (s *session) declareDeadLettering(cs *consumerState, name string, declare func(amqp.Table) error) error {
	if s.consuming.closesOverRefusals() || s.consuming.neverRemoves() {
		cs.removals.deadLettered = false
		return declare(amqp.Table{})
	}
	err := declare(deadLetterArguments(name))
	if cs.removals.deadLettered = err == nil; cs.removals.deadLettered || !refusesArguments(err) {
		return err
	}
	if plain := declare(amqp.Table{}); plain != nil {
		if isOtherwise(err) {
			return err // plain is against the arguments that are missing now
		}
		return plain
	}
	s.link.logNoDeadLetters(name, err)
	return nil
}

// isOtherwise reports whether there is a queue with other arguments.
func isOtherwise(err error) bool {
	e, ok := errors.AsType[*amqp.Error](err)
	return ok && e.Code == amqp.PreconditionFailed && strings.Contains(e.Reason, "inequivalent arg")
}

// logNoDeadLetters says once that messages may be removed untold.
func (l *Link) logNoDeadLetters(queue string, err error) {
	if l.loggedNoDeadLetters {
		return
	}
	l.loggedNoDeadLetters = true
	advice := "none: this broker has no dead letters"
	if errors.Is(err, errNoDeadLetters) {
		advice = "start the nodes of the cluster that are down; if all run, delete " + deadLetterQueueOf(queue)
	}
	if refusedWith(err, amqp.AccessRefused) {
		advice = fmt.Sprintf("let the user write to amq.default, and configure and read %s", deadLetterQueueOf(queue))
	}
	l.log.Info("the broker gives no dead letters: what a policy removes from the queue is missing without notice",
		"queue", queue, "advice", advice, "error", withoutPermission(err, l.cfg.Exchange))
}

// removals is what an intake knows of messages that the broker removed from its queue. It
// belongs to the consumer while a session serves.
type removals struct {
	deadLettered  bool // the broker dead-letters what it removes
	beforeSession bool // it removed messages before this session

	// before and latest are times before which nothing was sent that is missing, as they
	// were at least dropsLag ago and at the time sampled.
	before, latest, sampled time.Time

	seen  time.Time // when a dead letter last came
	gap   bool      // one is still to be told
	from  time.Time // its beginning
	after int       // it is told after so many deliveries, unless no more come
}

// begin starts a session before which nothing was lost before the time given.
func (d *removals) begin(clear time.Time) {
	d.before, d.latest, d.sampled = clear, clear, time.Time{}
	d.seen, d.gap = time.Time{}, false
}

func (d *removals) sample(now, clear time.Time) {
	if now.Sub(d.sampled) >= deadLetterLag {
		d.before, d.latest, d.sampled = d.latest, clear, now
	}
}

// beginRemovals tells what was removed while the link was away. What comes next was in the
// queue behind it.
func (cs *consumerState) beginRemovals() {
	since := cs.completeUntil
	if cs.consumesName() {
		since = cs.boundAt.Add(-cs.latency) // it is a new queue
	}
	cs.removals.begin(since)
	if cs.removals.beforeSession {
		cs.removals.beforeSession = false
		cs.removals.from = cs.completeUntil
		cs.reportRemovals()
	}
}

// noteRemoval notes that the broker removed a message that belongs before one that is to
// come. All that it had sent before belongs before it.
func (cs *consumerState) noteRemoval(now time.Time) {
	d := &cs.removals
	if d.seen = now; !d.gap {
		d.gap, d.from, d.after = true, later(cs.completeUntil, d.before), cs.prefetch
	}
}

// deliveredOne notes a delivery.
func (cs *consumerState) deliveredOne() {
	d := &cs.removals
	if !d.gap {
		return
	}
	if d.after--; d.after <= 0 {
		cs.reportRemovals()
	}
}

// deliveredAll notes that all that had come has been handed over.
func (cs *consumerState) deliveredAll(now, heard time.Time) {
	if cs.removals.gap {
		cs.reportRemovals()
	}
	cs.removals.sample(now, cs.until(heard))
}

// reportRemovals tells the gap. The next one begins where it ends: what was sent before
// and is removed later lies in this one.
func (cs *consumerState) reportRemovals() {
	cs.removals.gap = false
	to := time.Now()
	cs.reportGap(Gap{From: cs.removals.from, To: to})
	cs.completeUntil = to
}

// endRemovals is called at the end of a session, in which nothing was lost before the time
// clear, apart from the gaps told and what was removed within dropsLag before the broker was
// last heard.
func (cs *consumerState) endRemovals(clear, heard time.Time) time.Time {
	d := &cs.removals
	if d.gap {
		cs.reportRemovals()
	}
	if heard.Sub(d.seen) < deadLetterLag && d.before.Before(clear) {
		return d.before
	}
	return clear
}

// deadLetterReader reads the dead letters of a consumed queue.
type deadLetterReader struct {
	state         *consumerState
	link          *Link
	queue         string // the consumed one
	beforeSession bool   // there were dead letters before this session
	letters       <-chan amqp.Delivery
	dropped       chan struct{} // to the consumer of the queue; holds one
}

// openDeadLetters makes, or finds again, the queue of the dead letters of a consumed queue, and
// reads it. args are those of a queue that is kept; nil is for one that dies with the
// connection. Where the broker gives no dead letters there is none.
func (s *session) openDeadLetters(ctx context.Context, cs *consumerState, consumed string, args amqp.Table) error {
	if !cs.removals.deadLettered {
		return nil
	}
	r, err := s.tryReadDeadLetters(ctx, cs, consumed, args)
	if refusedWith(err, amqp.ResourceLocked) {
		wait(ctx, lockedRetry) // the broker deletes the queues of a connection one by one
		r, err = s.tryReadDeadLetters(ctx, cs, consumed, args)
	}
	switch {
	case fromBroker(err) || errors.Is(err, errNoDeadLetters):
		cs.removals.deadLettered = false
		s.link.logNoDeadLetters(consumed, err)
	case err != nil:
		return err
	default:
		cs.removals.beforeSession = cs.removals.beforeSession || r.beforeSession // until it is told: this session may break before
		s.deadLetterReaders = append(s.deadLetterReaders, r)
	}
	return nil
}

var errNoDeadLetters = fmt.Errorf("the queue of the dead letters did not answer within %v; has it a leader?", deadLetterTimeout)

// tryReadDeadLetters is readDrops with a limit of time. What comes later than that is not read in
// this session.
func (s *session) tryReadDeadLetters(ctx context.Context, cs *consumerState, consumed string, args amqp.Table) (r *deadLetterReader, err error) {
	answered := make(chan struct{})
	var late *deadLetterReader
	var failed error
	s.tasks.Go(func() {
		defer close(answered)
		late, failed = s.readDeadLetters(cs, consumed, args)
	})
	patience := time.NewTimer(deadLetterTimeout)
	defer patience.Stop()
	select {
	case <-answered:
		return late, failed
	case <-patience.C:
		return nil, errNoDeadLetters
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// removalsOf is where the intake hears of dead letters, or nil.
func (s *session) removalsOf(cs *consumerState) <-chan struct{} {
	for _, r := range s.deadLetterReaders {
		if r.state == cs {
			return r.dropped
		}
	}
	return nil
}

func (s *session) readDeadLetters(cs *consumerState, consumed string, args amqp.Table) (*deadLetterReader, error) {
	ch, err := s.consuming.Channel()
	if err != nil {
		return nil, err
	}
	name := deadLetterQueueOf(consumed)
	durable := args != nil
	args = maps.Clone(args)
	if args == nil {
		args = amqp.Table{}
	}
	args[amqp.QueueMaxLenArg] = 1
	const autoDelete, noWait = false, false
	q, err := ch.QueueDeclare(name, durable, autoDelete, !durable, noWait, args)
	if err != nil {
		return nil, topology("queue", name, err)
	}
	if q.Messages > 0 {
		if _, err := ch.QueuePurge(name, noWait); err != nil {
			return nil, topology("queue", name, err)
		}
	}
	// The next letter is here while the last one waits its turn: in the queue a policy may remove it.
	if err := ch.Qos(2, 0, false); err != nil {
		return nil, err
	}
	const autoAck, exclusive, noLocal = false, false, false
	letters, err := ch.Consume(name, "dropped", autoAck, exclusive, noLocal, noWait, nil)
	if err != nil {
		return nil, topology("queue", name, err)
	}
	s.watch(s.consuming, ch.NotifyClose(make(chan *amqp.Error, 1)), "the channel of queue "+name)
	return &deadLetterReader{state: cs, link: s.link, queue: consumed, beforeSession: q.Messages > 0, letters: letters, dropped: make(chan struct{}, 1)}, nil
}

// run ends with the connection, or when the session is done.
func (r *deadLetterReader) run(done <-chan struct{}) {
	var logged time.Time
	pause := time.NewTimer(0)
	defer pause.Stop()
	for d := range r.letters {
		reason, _ := d.Headers[deathReason].(string)
		if reason == "rejected" { // by the link itself, which tells that
			_ = d.Ack(false)
			continue
		}
		select {
		case r.dropped <- struct{}{}:
		default:
		}
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

// deathReasons are what is to be done about it.
var deathReasons = map[string]string{
	"maxlen":         "a policy limits the queue's length (max-length, max-length-bytes); exempt the queue from it",
	"expired":        "a policy limits the messages' age (message-ttl), or their sender does (expiration); exempt the queue from it",
	"delivery_limit": "a policy limits how often they are delivered (delivery-limit); exempt the queue from it",
}
