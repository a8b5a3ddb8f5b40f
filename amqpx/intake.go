package amqpx

import (
	"log/slog"
	"runtime/debug"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"
)

// intake is what a link remembers of a queue from one session to the next. The
// goroutine that connects owns it between sessions, the consumer's within one.
type intake struct {
	queue    Queue
	prefetch int
	log      *slog.Logger
	served   bool // a session has consumed the queue

	name    string   // the exclusive queue that is consumed and bound: Queue.Name, or that with a suffix
	remains []string // names that were consumed before, whose ties and gates may stand
	holding holding  // of Queue.Name
	drops   drops    // what the broker removed

	// clear is the time before which nothing was lost, apart from the gaps told.
	clear time.Time
	// sooner is what clear is if the broker failed: that it was heard says nothing then.
	sooner  time.Time
	quiet   quiet         // of this session
	bound   time.Time     // when the last binding of this session was confirmed
	spreads time.Duration // how long after bound a message may still miss the binding
	late    time.Duration // how long before it is heard of a message may have been sent

	failures  int       // so often in a row the broker failed over a message
	careful   bool      // that message is to come
	suspect   bool      // the broker takes no messages into it, as far as is known; of its prober
	classic   bool      // the broker has no quorum queues
	priority  int64     // of the last consumer of the kept queue
	tied      bool      // there is a tie
	untieable bool      // the broker refused one
	gated     bool      // it is bound by a gate
	gateLeft  bool      // there may be a gate, or half of one
	torn      bool      // the last session ended because the bindings were gone
	stood     time.Time // when they last were known to stand

	// gap is still to be told, once so many deliveries of this session have come.
	gap   *Gap
	after int

	// unread is how many messages that cannot be read the log has not told yet.
	unread     int
	unreadTold time.Time

	repeats repeats
	stream  position
	made    time.Time // when the link was made

	// watermark shows what a kept queue has delivered.
	watermark watermark
	// overlap is the time since which something may be missing that an earlier consumer
	// of a kept queue was sent; tooLate: some of that was left out, and is still to be told.
	overlap time.Time
	tooLate bool
}

func newIntake(q Queue, prefetch int, log *slog.Logger) *intake {
	if q.Stream != nil {
		own := *q.Stream // it may be another link's too
		q.Stream = &own
	}
	return &intake{queue: q, name: q.Name, prefetch: prefetch, log: log, repeats: newRepeats(prefetch), made: time.Now()}
}

// what names the queue as an operator knows it.
func (in *intake) what() string {
	if in.queue.Stream != nil {
		return "stream " + in.queue.Stream.Name
	}
	return "queue " + in.holder()
}

// holder names what is bound: the queue, the kept queue, or the stream.
func (in *intake) holder() string {
	switch {
	case in.queue.Stream != nil:
		return in.queue.Stream.Name
	case in.queue.Expires > 0:
		return keptOf(in.queue.Name)
	}
	return in.name
}

// backdate notes that the bindings went while the broker could still be heard.
func (in *intake) backdate() {
	if !in.clear.IsZero() && in.stood.Before(in.clear) {
		in.clear = in.stood
	}
}

// lost notes that nothing came in between clear and the last binding; before it
// the given number of messages waited in the queue.
func (in *intake) lost(waiting int) {
	in.gap, in.after = &Gap{From: in.untold(in.clear), To: in.bound.Add(in.spreads)}, waiting
}

// untold is where a gap begins that takes in the one that is still to be told.
func (in *intake) untold(from time.Time) time.Time {
	if in.gap != nil && in.gap.From.Before(from) {
		return in.gap.From
	}
	return from
}

// begin is called before the first delivery of a session.
func (in *intake) begin() {
	since := time.Time{}
	if in.queue.Expires > 0 {
		since = in.bound
		if in.served {
			since = in.clear
		}
	}
	in.served, in.torn = true, false
	in.quiet = startQuiet(in.prefetch, in.late, in.bound, since)
	in.repeats.begin()
	if in.tooLate = false; !in.repeats.mixed {
		in.overlap = in.clear
	}
	in.beginDrops()
	if in.queue.Stream != nil && !in.stream.located {
		in.goLive() // where it stands is not known
	}
	in.tell()
}

// end is called after the last delivery of a session, whose connection was last
// heard, and whose bindings were last known to stand, at the times given.
func (in *intake) end(heard, stood time.Time) {
	in.tellTooLate()
	fed := in.quiet.fed
	if in.queue.Expires == 0 {
		fed = later(fed, in.bound) // before that there was no queue
	}
	if in.watermark.active {
		fed = time.Time{} // what came may have been routed long before
	}
	in.sooner = in.clear
	if !fed.IsZero() {
		in.sooner = later(in.clear, fed.Add(-in.late))
	}
	in.stood = later(stood, in.bound).Add(-in.late)
	if in.queue.Stream != nil {
		// What was routed is in the stream, whether it was read or not.
		in.clear = heard.Add(-in.late)
	} else {
		if !fed.IsZero() {
			in.stood = later(in.stood, in.quiet.fed.Add(-in.late))
		}
		in.clear = later(in.clear, in.endDrops(in.until(heard), heard))
	}
	in.after = 0 // those that waited may have been taken by now
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// tell tells the gap when its place has come.
func (in *intake) tell() {
	if in.gap == nil || in.after > 0 {
		return
	}
	gap := *in.gap
	in.gap = nil
	in.miss(gap)
}

// miss tells a gap, in the time of the wall: a machine that slept has no other. Clocks
// are set, and a stream's gap may be another machine's: one that ends before it begins
// has no beginning that anybody knows.
func (in *intake) miss(g Gap) {
	g.From, g.To = g.From.Round(0), g.To.Round(0)
	if g.To.Before(g.From) {
		g.From = time.Time{}
	}
	if in.queue.OnGap != nil {
		defer in.guard("")
		in.queue.OnGap(g)
	}
}

func (in *intake) deliver(d *amqp.Delivery) {
	if reason := whyUnreadable(d); reason != "" {
		in.dropUnreadable(d, reason)
		return
	}
	decode10(d)
	defer in.guard(d.RoutingKey)
	in.queue.Deliver(d)
}

// guard keeps a panic over one message from taking the others with it. It is
// deferred.
func (in *intake) guard(key string) {
	if r := recover(); r != nil {
		in.log.Error("dropped a message that made its receiver panic", "queue", in.queue.Name,
			"routing_key", key, "panic", r, "stack", string(debug.Stack()))
	}
}

// take hands a delivery over, unless it was before or is the link's own.
func (in *intake) take(d *amqp.Delivery) {
	switch {
	case in.queue.Stream != nil:
		in.takeOfStream(d)
	case in.queue.Expires > 0:
		if in.gap != nil {
			in.after--
			defer in.tell()
		}
		in.takeKept(d)
	case !isMarker(d, in.holder()):
		in.deliver(d)
	}
}

// acknowledged notes that what was taken has been acknowledged.
func (in *intake) acknowledged() { in.repeats.acknowledged() }

// takeKept hands over a message of a kept queue. One that an earlier consumer had, and
// that comes behind what is newer, is left out: it would break the order.
func (in *intake) takeKept(d *amqp.Delivery) {
	if isMarker(d, in.holder()) {
		if in.watermark.take(d.MessageId) {
			in.tellTooLate()
		}
		return
	}
	late := in.repeats.late(d)
	cleanKept(d)
	switch {
	case late && in.repeats.had(d):
	case late:
		in.tooLate = true
	default:
		in.tellTooLate()
		if !in.repeats.known(d) {
			in.deliver(d)
		}
	}
}

// tellTooLate tells the gap of what was left out. It waits for the next message or watermark:
// what an earlier consumer had comes in many pieces.
func (in *intake) tellTooLate() {
	if in.tooLate {
		in.tooLate = false
		in.miss(Gap{From: in.overlap, To: time.Now()})
	}
}
