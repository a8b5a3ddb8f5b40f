package amqpx

import (
	"log/slog"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"
)

// consumerState is what a link remembers about a queue from one session to the next. Each
// part has one owner:
//
//   - what the configuration says never changes;
//   - the topology belongs to the goroutine of Run, which changes it only while it connects.
//     All goroutines of a session read it;
//   - the deliveries belong to the holder of mu. Run holds it while no session serves, and hands
//     it over to the consumers: every access, of whichever goroutine, is under mu.
type consumerState struct {
	queue    Queue
	prefetch int
	log      *slog.Logger
	linkMade time.Time // when the link was made

	topologyState

	mu sync.Mutex // guards deliveryState
	deliveryState

	claim   nameClaim     // of Queue.Name
	begunAt atomic.Uint64 // the first offset of a stream that the link reads; 0 if that is the first or unknown
	// numberBase is the number of the message at offset 0 of the stream, see generation.go.
	numberBase atomic.Uint64
	queueDown  atomic.Bool // the broker took no messages into the queue when it was last probed
}

// topologyState is what exists at the broker, as found when the link connected.
type topologyState struct {
	served        bool     // a session has consumed the queue
	firstSession  bool     // the session that serves is the first to consume it
	exclusiveName string   // the exclusive queue: Queue.Name, or that with a suffix
	formerNames   []string // exclusive queues before it, whose sentinels and gates may remain
	classic       bool     // the broker has no quorum queues
	priority      int64    // of the last consumer of a kept queue

	hasSentinel  bool // there is a sentinel
	noSentinel   bool // the broker refused one
	hasGate      bool // the queue is bound by way of a gate
	gateLeft     bool // there may be a gate, or half of one
	bindingsLost bool // the last session ended because the bindings were gone

	boundAt    time.Time     // when the last binding was confirmed
	bindingLag time.Duration // how long after boundAt a message may still miss the binding
	latency    time.Duration // how long before its arrival a message may have been sent
}

// deliveryState records what was delivered and what is missing.
type deliveryState struct {
	// No message sent before completeUntil is missing, apart from the gaps reported.
	completeUntil time.Time
	// completeIfBrokerFailed replaces completeUntil if the broker ended the session with an
	// internal error: what was heard from it until then proves nothing.
	completeIfBrokerFailed time.Time
	// lastVerified is when the bindings were last known to exist.
	lastVerified time.Time

	loss        lossBound   // of this session
	watermark   watermark   // what a kept queue has delivered
	redelivered redelivered // recognizes what comes again after a lost acknowledgement
	removals    removals    // what the broker removed from the queue
	stream      position    // where the link reads a stream

	// waiting is how many of the next deliveries waited in a kept queue when this session began.
	waiting int

	// gap is to be reported after gapAfter more deliveries of this session.
	gap      *Gap
	gapAfter int

	// Messages sent since overlap to an earlier consumer of a kept queue may be missing.
	// lateLoss is set while some were left out and this is not reported yet.
	overlap  time.Time
	lateLoss bool

	brokerFailures int  // how often in a row the broker failed over a message
	probing        bool // deliveries come one by one until that message is found

	poisonCount  int // poison messages that the log does not show yet
	poisonLogged time.Time
}

// newConsumerState returns a state that is locked: no session serves.
func newConsumerState(q Queue, prefetch int, log *slog.Logger) *consumerState {
	if q.Stream != nil {
		own := *q.Stream // another link may have been given the same one
		q.Stream = &own
	}
	cs := &consumerState{queue: q, prefetch: prefetch, log: log, linkMade: time.Now()}
	cs.exclusiveName = q.Name
	cs.redelivered = newRedelivered(prefetch)
	cs.mu.Lock()
	return cs
}

// handOver gives the deliveries to the consumers of a session that serves.
func (s *session) handOver() {
	for _, c := range s.consumers {
		c.state.startSession()
	}
	for _, cs := range s.link.consumerStates {
		cs.mu.Unlock()
	}
}

// startSession notes that the queue is consumed. It is called before the consumer begins.
func (cs *consumerState) startSession() {
	cs.firstSession = !cs.served
	cs.served, cs.bindingsLost = true, false
}

// takeBack takes the deliveries back once the consumers have ended.
func (s *session) takeBack() {
	for _, cs := range s.link.consumerStates {
		cs.mu.Lock()
	}
}

// describe names the queue as an operator knows it.
func (cs *consumerState) describe() string {
	if cs.queue.Stream != nil {
		return "stream " + cs.queue.Stream.Name
	}
	return "queue " + cs.queueName()
}

// queueName returns the name of the queue that is bound and consumed: the exclusive queue,
// the kept queue, or the stream.
func (cs *consumerState) queueName() string {
	switch {
	case cs.queue.Stream != nil:
		return cs.queue.Stream.Name
	case cs.queue.Expires > 0:
		return keptOf(cs.queue.Name)
	}
	return cs.exclusiveName
}

// The following are called with mu held.

// backdate records that the bindings were lost while the broker could still be heard.
func (cs *consumerState) backdate() {
	if !cs.completeUntil.IsZero() && cs.lastVerified.Before(cs.completeUntil) {
		cs.completeUntil = cs.lastVerified
	}
}

// noteOutage records that nothing arrived between completeUntil and the last binding. The gap
// is reported after the messages that waited in the queue.
func (cs *consumerState) noteOutage(waiting int) {
	cs.gap, cs.gapAfter = &Gap{From: cs.gapStart(cs.completeUntil), To: cs.boundAt.Add(cs.bindingLag)}, waiting
}

// gapStart returns the start of a gap that includes the one still to be reported.
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
		if !cs.firstSession {
			since = cs.completeUntil
		}
	}
	cs.loss = newLossBound(cs.prefetch, cs.latency, cs.boundAt, since)
	cs.redelivered.begin()
	if cs.lateLoss = false; !cs.redelivered.ambiguous {
		cs.overlap = cs.completeUntil
	}
	cs.beginRemovals()
	if cs.queue.Stream != nil && !cs.stream.located {
		cs.reachLive() // its position is not known
	}
	cs.reportPendingGap()
}

// end is called after the last delivery of a session. heard is when its connection was last
// heard for certain, verified when its bindings were last known to exist.
func (cs *consumerState) end(heard, verified time.Time) {
	cs.reportLateLoss()
	routed := cs.loss.routedAfter
	if cs.queue.Expires == 0 {
		routed = later(routed, cs.boundAt) // before that there was no queue
	}
	if cs.watermark.active {
		routed = time.Time{} // what arrived may have been routed long before
	}
	cs.completeIfBrokerFailed = cs.completeUntil
	if !routed.IsZero() {
		cs.completeIfBrokerFailed = later(cs.completeUntil, routed.Add(-cs.latency))
	}
	cs.lastVerified = later(verified, cs.boundAt).Add(-cs.latency)
	if cs.queue.Stream != nil {
		// Everything that was routed is in the stream, whether it was read or not.
		cs.completeUntil = heard.Add(-cs.latency)
	} else {
		cs.completeUntil = later(cs.completeUntil, cs.endRemovals(cs.until(heard), heard))
	}
	cs.gapAfter = 0 // the messages that waited may have been taken by now
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

func earlier(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}

// reportPendingGap reports the pending gap once the deliveries before it are done.
func (cs *consumerState) reportPendingGap() {
	if cs.gap == nil || cs.gapAfter > 0 {
		return
	}
	gap := *cs.gap
	cs.gap = nil
	cs.reportGap(gap)
}

// reportGap reports a gap in wall-clock time: the monotonic clock stops while the machine is
// suspended. The wall clock may be set back, and a gap in a stream may have been measured by
// another machine: the start of a gap that ends before it starts is unknown.
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

// deliver hands a message to the receiver, unless it is a poison message.
func (cs *consumerState) deliver(d *amqp.Delivery) {
	if reason := poisonReason(d); reason != "" {
		cs.dropPoison(d, reason)
		return
	}
	decode10(d)
	defer cs.guard(d.RoutingKey)
	if cs.queue.DeliverWaited != nil && cs.waited(d) {
		cs.queue.DeliverWaited(d)
		return
	}
	cs.queue.Deliver(d)
}

// waited reports whether a message was at the broker before this session began. What was sent to an
// earlier consumer is behind the messages that the broker counted, but flagged.
func (cs *consumerState) waited(d *amqp.Delivery) bool {
	if cs.queue.Stream != nil {
		offset, ok := d.Headers[offsetHeader].(int64)
		return ok && uint64(offset) < cs.numberBase.Load()+cs.stream.end
	}
	return cs.queue.Expires > 0 && (cs.waiting > 0 || d.Redelivered)
}

// guard recovers from a panic of the receiver, so that only the message that caused it is
// lost. It is deferred.
func (cs *consumerState) guard(key string) {
	if r := recover(); r != nil {
		cs.log.Error("dropped a message that made its receiver panic", "queue", cs.queue.Name,
			"routing_key", key, "panic", r, "stack", string(debug.Stack()))
	}
}

// take hands a delivery to the receiver, unless it was delivered before or is a marker.
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
		cs.waiting = max(0, cs.waiting-1)
	case !isMarker(d, cs.queueName()):
		cs.deliver(d)
	}
}

// acknowledged notes that everything taken has been acknowledged.
func (cs *consumerState) acknowledged() { cs.redelivered.acknowledged() }

// takeKept hands over a message of a kept queue. A message that an earlier consumer had, and
// that follows newer ones, is left out: it would break the order.
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

// reportLateLoss reports the gap of the messages that were left out. It waits for the next
// message or watermark, because the messages of an earlier consumer come in many pieces.
func (cs *consumerState) reportLateLoss() {
	if cs.lateLoss {
		cs.lateLoss = false
		cs.reportGap(Gap{From: cs.overlap, To: time.Now()})
	}
}
