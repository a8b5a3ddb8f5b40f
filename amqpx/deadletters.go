package amqpx

import (
	"errors"
	"fmt"
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
	// beforeFrom is when a session began that learned late of removals, and broke before it told them.
	beforeFrom time.Time

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
		if at := cs.removals.beforeFrom; !at.IsZero() {
			cs.removals.from = earlier(at, cs.completeUntil)
		}
		cs.removals.beforeFrom = time.Time{}
		cs.reportRemovals()
	}
}

// noteRemoval records that the broker removed a message that belongs between the deliveries so far
// and those to come.
func (cs *consumerState) noteRemoval(now time.Time) {
	d := &cs.removals
	d.beforeSession, d.beforeFrom, d.unread = false, time.Time{}, false
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
// from the gaps reported and from removals within deadLetterLag before the broker was last heard.
// It returns a time that also takes those removals into account.
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
