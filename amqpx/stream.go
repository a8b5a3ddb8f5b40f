package amqpx

import (
	"context"
	"errors"
	"fmt"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"
)

// Stream is a RabbitMQ stream (RabbitMQ 3.9 or later) that is bound to the link's exchange. Any
// number of links can read the same stream, each from its own position. The binding, and with it
// an auto-delete exchange, remains when the last link is gone.
//
// A stream delivers the same as a queue would (RabbitMQ 3.10, 4.0 and 4.3), except that
//
//   - headers that are tables or lists are missing;
//   - as of RabbitMQ 4, a header of bytes is a string of the same bytes, and a message without a
//     delivery mode has mode 1;
//   - there is one more header, which [TakeStreamOffset] removes, and a message without headers has
//     an empty table of them;
//   - a message with a decimal header is not accepted at all: RabbitMQ closes the sender's
//     connection (541 INTERNAL_ERROR) when a stream is bound for it.
type Stream struct {
	// Name of the stream, at most 238 bytes.
	Name string
	// MaxAge and MaxBytes are how much of the past the broker keeps at least; 0 is no limit.
	// All links that name a stream must give the same values.
	MaxAge   time.Duration
	MaxBytes int64
	// Backlog is how many of the messages that were in the stream before the first connection
	// are also delivered. The links' markers count, but are not delivered.
	Backlog uint64
	// OnCaughtUp is called once in a link's life, on Deliver's goroutine, between the last
	// message that was in the stream before the first connection and the first one after it. It
	// may be nil.
	OnCaughtUp func()
}

// offsetHeader is the header that the broker adds to messages from a stream.
const offsetHeader = "x-stream-offset"

// TakeStreamOffset removes the header with the position in the stream, which the broker adds,
// from a delivery, and returns the position, which is its offset in a stream that was never deleted: the
// positions in a stream that is made anew go on behind those of the old one. ok is false if there is none.
func TakeStreamOffset(d *Delivery) (offset uint64, ok bool) {
	n, ok := d.Headers[offsetHeader].(int64)
	if !ok || n < 0 {
		return 0, false
	}
	delete(d.Headers, offsetHeader)
	return uint64(n), true
}

// The broker drops whole segments, and never the one that is being written. So a stream is cut
// into ten segments, and a stream without a size limit into segments that some hours of
// messages fill.
const (
	minSegment     = 64 << 10
	maxSegment     = 500_000_000 // RabbitMQ's own default
	segmentOfAnAge = 20_000_000
)

func (s Stream) arguments() amqp.Table {
	args := amqp.Table{amqp.QueueTypeArg: amqp.QueueTypeStream}
	segment := int64(segmentOfAnAge)
	if s.MaxBytes > 0 {
		args[amqp.StreamMaxLenBytesArg] = s.MaxBytes
		segment = min(max(s.MaxBytes/10, minSegment), maxSegment)
	}
	if s.MaxAge > 0 {
		args[amqp.StreamMaxAgeArg] = fmt.Sprintf("%ds", int64(s.MaxAge.Seconds()))
	}
	args[amqp.StreamMaxSegmentSizeBytesArg] = segment
	return args
}

// openStream declares the stream and reads on from the link's position, or from the backlog that
// the configuration asks for.
func (s *session) openStream(ctx context.Context, ch *amqp.Channel, cs *consumerState) error {
	stream := cs.queue.Stream
	// The queue of that name stays empty. It keeps a second link of this name away.
	if err := s.claimName(ctx, cs); err != nil {
		return err
	}
	existed := cs.served
	if !existed {
		var err error
		if existed, err = s.exists(ctx, stream.Name); err != nil {
			return topology("stream", stream.Name, err)
		}
	}
	const durable, autoDelete, exclusive, noWait = true, false, false, false
	if _, err := ch.QueueDeclare(stream.Name, durable, autoDelete, exclusive, noWait, stream.arguments()); err != nil {
		return topology("stream", stream.Name, err)
	}
	if err := s.bindStream(ctx, ch, cs, existed); err != nil {
		return err
	}
	generation, counted, err := s.generation(ctx, cs, existed)
	if err != nil {
		return topology("stream", stream.Name, err)
	}
	end, known, err := s.streamEnd(ctx, cs)
	if err != nil {
		return err
	}
	cs.noteUnread(known)
	from := cs.renumber(generation, end, known)
	s.logRenumbered(cs, counted)
	args := amqp.Table{offsetHeader: "next"}
	if from != nil {
		args[offsetHeader] = int64(*from)
	}
	if err := s.consume(ch, cs, stream.Name, false, args); err != nil || !counted {
		return err
	}
	return topology("stream", stream.Name, s.confirmGeneration(stream.Name, generation))
}

// logRenumbered logs that the stream is another one than in the last session.
func (s *session) logRenumbered(cs *consumerState, counted bool) {
	switch name := cs.queue.Stream.Name; {
	case !cs.stream.renumbered:
	case counted:
		s.link.log.Warn("the stream was deleted and made anew: what was not read of it is lost, and its numbers go on", "stream", name, "next", cs.numberBase.Load())
	default:
		s.link.log.Error("the stream was deleted, and its numbers begin again: programs that remember a number ignore what comes until the numbers have reached it; restart this one", "stream", name)
	}
}

// bindStream makes the bindings. If they were lost, it writes the gap into the stream, and then
// declares the restart sentinel. One link does so at a time: the others find the sentinel and read
// the gap.
func (s *session) bindStream(ctx context.Context, ch *amqp.Channel, cs *consumerState, existed bool) error {
	name := cs.queue.Stream.Name
	// Without the stream there is no restart sentinel, which is deleted with the queue that is
	// bound to it.
	if existed {
		if intact, _, err := s.bindingsIntact(ch, cs); err != nil {
			return err
		} else if intact {
			return s.bind(ch, cs, "stream", name)
		}
	}
	lock, err := s.lock(ctx, name+"_binding")
	if err != nil {
		return err
	}
	defer lock.release()
	intact, restart := false, false
	if existed {
		intact, restart, err = s.bindingsIntact(ch, cs)
	}
	if err == nil && !intact {
		intact, err = s.renewSentinels(ch, cs, restart, true)
	}
	if err != nil {
		return err
	}
	if intact {
		return s.bind(ch, cs, "stream", name)
	}
	if existed {
		err := s.mark(ctx, name, amqp.Publishing{Type: beginType}, markerPatience)
		if err != nil && !errors.Is(err, errNoMarker) {
			return err
		}
	}
	if err := s.bind(ch, cs, "stream", name); err != nil {
		return err
	}
	if !existed {
		return makeRestartSentinel(ch, name)
	}
	gap := Gap{From: cs.completeUntil, To: cs.boundAt.Add(cs.bindingLag)}
	switch err := s.markGap(ctx, name, gap); {
	case errors.Is(err, errNoMarker):
		// There is no restart sentinel, so the next link tries again.
		s.link.log.Warn("the broker accepts no marker into the stream: other readers do not learn of a gap",
			"stream", name, "from", gap.From, "to", gap.To, "error", s.whyNoMarker())
		cs.noteOutage(0)
		return nil
	case err != nil:
		return err
	}
	cs.stream.marked = true
	return makeRestartSentinel(ch, name)
}

// noteUnread notes a gap that the link does not read in the stream, because its position is unknown: nothing has arrived yet,
// or it begins with the next message, as the end is not known either.
func (cs *consumerState) noteUnread(endKnown bool) {
	marked := cs.stream.marked
	cs.stream.marked = false
	if !cs.stream.located && (cs.served || marked && !endKnown) {
		cs.noteOutage(0)
	}
}

// lockRetry is how long a link waits before it asks for a lock again, doubling each time.
// lockPatience is how long it asks in all: a link that died with the lock must not hold up the
// others, and a gap that is reported twice does no harm.
const (
	lockRetry    = 20 * time.Millisecond
	lockPatience = 2 * time.Second
)

// lock waits until no other link holds the lock. A lock that the broker cannot reach, or that is
// held too long, is ignored: its holder is gone.
func (s *session) lock(ctx context.Context, name string) (*streamLock, error) {
	began := time.Now()
	for pause := lockRetry; ; pause *= 2 {
		ch, err := s.consuming.Channel()
		if err != nil {
			return nil, err
		}
		const durable, autoDelete, exclusive, noWait = false, false, true, false
		_, err = ch.QueueDeclare(name, durable, autoDelete, exclusive, noWait, nil)
		locked := refusedWith(err, amqp.ResourceLocked)
		if err == nil || refusedWith(err, amqp.NotFound) || locked && time.Since(began) > lockPatience {
			return &streamLock{ch, name}, nil
		}
		if !locked {
			return nil, topology("queue", name, err)
		}
		wait(ctx, min(pause, lockPatience/4))
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
	}
}

// streamLock is an exclusive queue, which only one connection can have at a time.
type streamLock struct {
	channel *amqp.Channel
	name    string
}

// release releases the lock. If that fails, the connection is ending, and the lock ends with
// it.
func (l *streamLock) release() {
	_, _ = l.channel.QueueDelete(l.name, false, false, false)
	_ = l.channel.Close()
}
