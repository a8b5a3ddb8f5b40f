package amqpx

import (
	"log/slog"
	"runtime/debug"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"
)

// consumerState is what a link remembers of a queue from one session to the next. The
// goroutine that connects owns it between sessions, the consumer's within one.
type consumerState struct {
	queue    Queue
	prefetch int
	log      *slog.Logger
	served   bool // a session has consumed the queue

	exclusiveName string    // the exclusive queue that is consumed and bound: Queue.Name, or that with a suffix
	formerNames   []string  // names that were consumed before, whose ties and gates may stand
	claim         nameClaim // of Queue.Name
	removals      removals  // what the broker removed

	// clear is the time before which nothing was lost, apart from the gaps told.
	completeUntil time.Time
	// sooner is what clear is if the broker failed: that it was heard says nothing then.
	completeIfBrokerFailed time.Time
	loss                   lossBound     // of this session
	boundAt                time.Time     // when the last binding of this session was confirmed
	bindingLag             time.Duration // how long after bound a message may still miss the binding
	latency                time.Duration // how long before it is heard of a message may have been sent

	brokerFailures int       // so often in a row the broker failed over a message
	probing        bool      // that message is to come
	queueDown      bool      // the broker takes no messages into it, as far as is known; of its prober
	classic        bool      // the broker has no quorum queues
	priority       int64     // of the last consumer of the kept queue
	hasSentinel    bool      // there is a tie
	noSentinel     bool      // the broker refused one
	hasGate        bool      // it is bound by a gate
	gateLeft       bool      // there may be a gate, or half of one
	bindingsLost   bool      // the last session ended because the bindings were gone
	lastVerified   time.Time // when they last were known to stand

	// gap is still to be told, once so many deliveries of this session have come.
	gap      *Gap
	gapAfter int

	// unread is how many messages that cannot be read the log has not told yet.
	poisonCount  int
	poisonLogged time.Time

	redelivered redelivered
	stream      position
	linkMade    time.Time // when the link was made

	// watermark shows what a kept queue has delivered.
	watermark watermark
	// overlap is the time since which something may be missing that an earlier consumer
	// of a kept queue was sent; tooLate: some of that was left out, and is still to be told.
	overlap  time.Time
	lateLoss bool
}

func newConsumerState(q Queue, prefetch int, log *slog.Logger) *consumerState {
	if q.Stream != nil {
		own := *q.Stream // it may be another link's too
		q.Stream = &own
	}
	return &consumerState{queue: q, exclusiveName: q.Name, prefetch: prefetch, log: log, redelivered: newRedelivered(prefetch), linkMade: time.Now()}
}

// describe names the queue as an operator knows it.
func (cs *consumerState) describe() string {
	if cs.queue.Stream != nil {
		return "stream " + cs.queue.Stream.Name
	}
	return "queue " + cs.queueName()
}

// queueName names what is bound: the queue, the kept queue, or the stream.
func (cs *consumerState) queueName() string {
	switch {
	case cs.queue.Stream != nil:
		return cs.queue.Stream.Name
	case cs.queue.Expires > 0:
		return keptOf(cs.queue.Name)
	}
	return cs.exclusiveName
}

// backdate notes that the bindings went while the broker could still be heard.
func (cs *consumerState) backdate() {
	if !cs.completeUntil.IsZero() && cs.lastVerified.Before(cs.completeUntil) {
		cs.completeUntil = cs.lastVerified
	}
}

// noteOutage notes that nothing came in between clear and the last binding; before it
// the given number of messages waited in the queue.
func (cs *consumerState) noteOutage(waiting int) {
	cs.gap, cs.gapAfter = &Gap{From: cs.gapStart(cs.completeUntil), To: cs.boundAt.Add(cs.bindingLag)}, waiting
}

// gapStart is where a gap begins that takes in the one that is still to be told.
func (cs *consumerState) gapStart(from time.Time) time.Time {
	if cs.gap != nil && cs.gap.From.Before(from) {
		return cs.gap.From
	}
	return from
}

// begin is called before the first delivery of a session.
func (cs *consumerState) begin() {
	since := time.Time{}
	if cs.queue.Expires > 0 {
		since = cs.boundAt
		if cs.served {
			since = cs.completeUntil
		}
	}
	cs.served, cs.bindingsLost = true, false
	cs.loss = newLossBound(cs.prefetch, cs.latency, cs.boundAt, since)
	cs.redelivered.begin()
	if cs.lateLoss = false; !cs.redelivered.ambiguous {
		cs.overlap = cs.completeUntil
	}
	cs.beginRemovals()
	if cs.queue.Stream != nil && !cs.stream.located {
		cs.reachLive() // where it stands is not known
	}
	cs.reportPendingGap()
}

// end is called after the last delivery of a session, whose connection was last
// heard, and whose bindings were last known to stand, at the times given.
func (cs *consumerState) end(heard, stood time.Time) {
	cs.reportLateLoss()
	fed := cs.loss.routedAfter
	if cs.queue.Expires == 0 {
		fed = later(fed, cs.boundAt) // before that there was no queue
	}
	if cs.watermark.active {
		fed = time.Time{} // what came may have been routed long before
	}
	cs.completeIfBrokerFailed = cs.completeUntil
	if !fed.IsZero() {
		cs.completeIfBrokerFailed = later(cs.completeUntil, fed.Add(-cs.latency))
	}
	cs.lastVerified = later(stood, cs.boundAt).Add(-cs.latency)
	if cs.queue.Stream != nil {
		// What was routed is in the stream, whether it was read or not.
		cs.completeUntil = heard.Add(-cs.latency)
	} else {
		if !fed.IsZero() {
			cs.lastVerified = later(cs.lastVerified, cs.loss.routedAfter.Add(-cs.latency))
		}
		cs.completeUntil = later(cs.completeUntil, cs.endRemovals(cs.until(heard), heard))
	}
	cs.gapAfter = 0 // those that waited may have been taken by now
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// reportPendingGap tells the gap when its place has come.
func (cs *consumerState) reportPendingGap() {
	if cs.gap == nil || cs.gapAfter > 0 {
		return
	}
	gap := *cs.gap
	cs.gap = nil
	cs.reportGap(gap)
}

// reportGap tells a gap, in the time of the wall: a machine that slept has no other. Clocks
// are set, and a stream's gap may be another machine's: one that ends before it begins
// has no beginning that anybody knows.
func (cs *consumerState) reportGap(g Gap) {
	g.From, g.To = g.From.Round(0), g.To.Round(0)
	if g.To.Before(g.From) {
		g.From = time.Time{}
	}
	if cs.queue.OnGap != nil {
		defer cs.guard("")
		cs.queue.OnGap(g)
	}
}

func (cs *consumerState) deliver(d *amqp.Delivery) {
	if reason := poisonReason(d); reason != "" {
		cs.dropPoison(d, reason)
		return
	}
	decode10(d)
	defer cs.guard(d.RoutingKey)
	cs.queue.Deliver(d)
}

// guard keeps a panic over one message from taking the others with it. It is
// deferred.
func (cs *consumerState) guard(key string) {
	if r := recover(); r != nil {
		cs.log.Error("dropped a message that made its receiver panic", "queue", cs.queue.Name,
			"routing_key", key, "panic", r, "stack", string(debug.Stack()))
	}
}

// take hands a delivery over, unless it was before or is the link's own.
func (cs *consumerState) take(d *amqp.Delivery) {
	switch {
	case cs.queue.Stream != nil:
		cs.takeFromStream(d)
	case cs.queue.Expires > 0:
		if cs.gap != nil {
			cs.gapAfter--
			defer cs.reportPendingGap()
		}
		cs.takeKept(d)
	case !isMarker(d, cs.queueName()):
		cs.deliver(d)
	}
}

// acknowledged notes that what was taken has been acknowledged.
func (cs *consumerState) acknowledged() { cs.redelivered.acknowledged() }

// takeKept hands over a message of a kept queue. One that an earlier consumer had, and
// that comes behind what is newer, is left out: it would break the order.
func (cs *consumerState) takeKept(d *amqp.Delivery) {
	if isMarker(d, cs.queueName()) {
		if cs.watermark.take(d.MessageId) {
			cs.reportLateLoss()
		}
		return
	}
	late := cs.redelivered.late(d)
	cleanKept(d)
	switch {
	case late && cs.redelivered.wasDelivered(d):
	case late:
		cs.lateLoss = true
	default:
		cs.reportLateLoss()
		if !cs.redelivered.seen(d) {
			cs.deliver(d)
		}
	}
}

// reportLateLoss tells the gap of what was left out. It waits for the next message or watermark:
// what an earlier consumer had comes in many pieces.
func (cs *consumerState) reportLateLoss() {
	if cs.lateLoss {
		cs.lateLoss = false
		cs.reportGap(Gap{From: cs.overlap, To: time.Now()})
	}
}
