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

// A policy of the broker (message-ttl, max-length), or the expiration that a sender gave its
// message, may remove messages from a queue without notice. So the link makes the broker
// dead-letter them, through the default exchange, into a second queue. A dead letter shows that
// messages are missing between the last delivery and the next: a gap.
//
// The queue of the dead letters holds one message, and the link reads one a second: a flood of
// removals costs little, and a gap is reported once a second while it lasts.
//
// A policy by which the broker rejects what does not fit is overruled by an argument of the queue
// where the broker allows that (RabbitMQ: not on a quorum queue). Otherwise nothing is
// dead-lettered, and only the publisher learns of it.

const (
	deadLetterExchange = "x-dead-letter-exchange"
	deadLetterKey      = "x-dead-letter-routing-key"
	// deathReason is a header of a dead letter: maxlen, expired, delivery_limit, rejected.
	deathReason = "x-first-death-reason"
)

const (
	// deadLetterEvery is how often a dead letter is read.
	deadLetterEvery = time.Second
	// deadLetterLag is longer than deadLetterEvery and the transit time of a dead letter
	// together.
	deadLetterLag = 2 * time.Second
	// deadLetterTimeout is how long the link waits for the queue of the dead letters: a quorum queue
	// without a leader never answers.
	deadLetterTimeout = 3 * time.Second
	// deadLetterLogEvery is how often the log shows why messages are removed.
	deadLetterLogEvery = time.Minute
)

func deadLetterQueueOf(queue string) string { return queue + "_dropped" }

// deadLetterArguments returns the arguments that make the broker dead-letter what it removes from
// the queue.
func deadLetterArguments(queue string) amqp.Table {
	return amqp.Table{
		deadLetterExchange:    "",
		deadLetterKey:         deadLetterQueueOf(queue),
		amqp.QueueOverflowArg: amqp.QueueOverflowDropHead,
	}
}

// refusesArguments reports whether the broker may have refused a queue because of its arguments:
// because it does not know them, or because the user may not write to the default exchange.
func refusesArguments(err error) bool {
	return refusedWith(err, amqp.AccessRefused) || refusedWith(err, amqp.PreconditionFailed) || refusedWith(err, amqp.NotImplemented)
}

// declareDeadLettering declares a queue that dead-letters, or, if the broker refuses that, one that
// does not.
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
			return err // the other error only complains that the arguments are missing now
		}
		return plain
	}
	s.link.logNoDeadLetters(name, err)
	return nil
}

// isOtherwise reports whether the queue exists with other arguments.
func isOtherwise(err error) bool {
	e, ok := errors.AsType[*amqp.Error](err)
	return ok && e.Code == amqp.PreconditionFailed && strings.Contains(e.Reason, "inequivalent arg")
}

// logNoDeadLetters logs that messages may be removed without notice: once, until the broker dead-letters after all.
func (l *Link) logNoDeadLetters(queue string, err error) {
	if l.loggedNoDeadLetters.Swap(true) {
		return
	}
	advice := "none: this broker has no dead letters"
	if errors.Is(err, errNoDeadLetters) {
		advice = "start the nodes of the cluster that are down; if all run, delete " + deadLetterQueueOf(queue)
	}
	if refusedWith(err, amqp.AccessRefused) {
		advice = fmt.Sprintf("let the user write to amq.default, and configure and read %s", deadLetterQueueOf(queue))
	}
	l.log.Info("the broker does not dead-letter: what a policy removes from the queue is missing without a gap",
		"queue", queue, "advice", advice, "error", withoutPermission(err, l.cfg.Exchange))
}

// removals is what is known about messages that the broker removed from a queue.
type removals struct {
	deadLettered  bool // the broker dead-letters what it removes
	beforeSession bool // it removed messages before this session, or before its dead letters were read
	unread        bool // its dead letters are not read yet

	// No message sent before these times was missing: before at least deadLetterLag ago, latest at
	// the time sampled.
	before, latest, sampled time.Time

	seen  time.Time // when the last dead letter arrived
	gap   bool      // a gap is not reported yet
	from  time.Time // its start
	after int       // how many more deliveries come before it, unless there are none
}

// begin starts a session. No message sent before clear is missing.
func (d *removals) begin(clear time.Time) {
	d.before, d.latest, d.sampled = clear, clear, time.Time{}
	d.seen, d.gap = time.Time{}, false
}

func (d *removals) sample(now, clear time.Time) {
	if !d.unread && now.Sub(d.sampled) >= deadLetterLag {
		d.before, d.latest, d.sampled = d.latest, clear, now
	}
}

// beginRemovals reports messages that were removed while the link was down. The next delivery came
// after them in the queue.
func (cs *consumerState) beginRemovals() {
	since := cs.completeUntil
	if cs.consumesName() {
		since = cs.boundAt.Add(-cs.latency) // the queue is new
	}
	cs.removals.begin(since)
	if cs.removals.beforeSession {
		cs.removals.beforeSession = false
		cs.removals.from = cs.completeUntil
		cs.reportRemovals()
	}
}

// noteRemoval records that the broker removed a message that belongs between the deliveries so far
// and those to come.
func (cs *consumerState) noteRemoval(now time.Time) {
	d := &cs.removals
	d.beforeSession, d.unread = false, false
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

// deliveredAll records that everything that has arrived was delivered.
func (cs *consumerState) deliveredAll(now, heard time.Time) {
	if cs.removals.gap {
		cs.reportRemovals()
	}
	cs.removals.sample(now, cs.until(heard))
}

// reportRemovals reports the gap. The next gap starts where this one ends: it covers messages that
// were sent earlier and are removed later.
func (cs *consumerState) reportRemovals() {
	cs.removals.gap = false
	to := time.Now()
	cs.reportGap(Gap{From: cs.removals.from, To: to})
	cs.completeUntil = to
}

// endRemovals is called at the end of a session. No message sent before clear is missing, apart
// from the gaps reported, from removals within deadLetterLag before the broker was last heard, and from
// all removals if dead letters were not read. It returns a time that also takes those removals into account.
func (cs *consumerState) endRemovals(clear, heard time.Time) time.Time {
	d := &cs.removals
	if d.gap {
		cs.reportRemovals()
	}
	if (d.unread || heard.Sub(d.seen) < deadLetterLag) && d.before.Before(clear) {
		return d.before
	}
	return clear
}

// deadLetterReader reads the dead letters of a consumed queue.
type deadLetterReader struct {
	state   *consumerState
	link    *Link
	queue   string        // the consumed queue
	dropped chan struct{} // wakes the consumer of the queue; holds a token
	late    bool          // the session began without it
	opened  chan struct{} // closed when the following fields are valid
	err     error
	before  bool // there were dead letters before
	letters <-chan amqp.Delivery
}

// openDeadLetters declares the queue of the dead letters of a consumed queue, and reads it. args
// are those of a kept queue, or nil for a queue that dies with the connection. With a broker that
// does not dead-letter there is no such queue.
func (s *session) openDeadLetters(ctx context.Context, cs *consumerState, consumed string, args amqp.Table) error {
	cs.removals.unread = false
	if !cs.removals.deadLettered {
		return nil
	}
	r, err := s.tryReadDeadLetters(ctx, cs, consumed, args)
	if refusedWith(err, amqp.ResourceLocked) {
		wait(ctx, lockedRetry) // the broker deletes the queues of a connection one by one
		r, err = s.tryReadDeadLetters(ctx, cs, consumed, args)
	}
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
func (s *session) tryReadDeadLetters(ctx context.Context, cs *consumerState, consumed string, args amqp.Table) (*deadLetterReader, error) {
	r := &deadLetterReader{state: cs, link: s.link, queue: consumed, dropped: make(chan struct{}, 1), opened: make(chan struct{})}
	s.tasks.Go(func() {
		defer close(r.opened)
		r.err = s.openReader(r, args)
	})
	patience := time.NewTimer(deadLetterTimeout)
	defer patience.Stop()
	select {
	case <-r.opened:
		return r, r.err
	case <-patience.C:
		return r, errNoDeadLetters
	case <-ctx.Done():
		return r, ctx.Err()
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

// adopt is called when the broker has answered late. The session may break before its consumer tells what was removed.
func (r *deadLetterReader) adopt() {
	r.state.mu.Lock()
	defer r.state.mu.Unlock()
	if r.noteBefore(); r.before {
		r.announce()
	}
	if r.err != nil {
		return
	}
	r.state.removals.unread = r.before // until the consumer has noted it
	r.link.loggedNoDeadLetters.Store(false)
	r.link.log.Info("the broker dead-letters after all: what a policy removes from the queue is within a gap from now on", "queue", r.queue)
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
	if r.before = q.Messages > 0; r.before {
		if _, err := ch.QueuePurge(name, noWait); err != nil {
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
