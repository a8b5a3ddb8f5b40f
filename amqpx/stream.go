package amqpx

import (
	"context"
	"errors"
	"fmt"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"
)

// Stream is a RabbitMQ stream (RabbitMQ 3.9 or later) that is bound to the link's
// exchange. Any number of links read the same one, each from its own place. The
// binding, and with it CLU's exchange, lives on when the last link is gone.
//
// What comes out of a stream is what a queue gives (RabbitMQ 3.10, 4.0 and 4.3), but that
//
//   - headers that are tables or lists are missing; CLU itself sends none;
//   - as of RabbitMQ 4, a header of bytes is a string of the same bytes, and a message without a
//     delivery mode has mode 1;
//   - [TakeStreamOffset] finds one header more, and a message without headers has an
//     empty table of them;
//   - a message with a decimal header is not taken at all: RabbitMQ closes the
//     sender's connection (541 INTERNAL_ERROR) when a stream is bound for it.
type Stream struct {
	// Name of the stream, at most 238 bytes.
	Name string
	// MaxAge and MaxBytes are how much of the past the broker keeps, at least; 0 is
	// no limit. All links that name a stream must give the same.
	MaxAge   time.Duration
	MaxBytes int64
	// Past is how many of the messages that were in the stream before the first
	// link are delivered too. Markers of the links count, and are not delivered.
	Backlog uint64
	// Live is called once in a link's life, from Deliver's goroutine, between the
	// last message that was in the stream before the link first stood and the
	// first that came after. May be nil.
	OnCaughtUp func()
}

// offsetHeader is added by the broker to what comes from a stream.
const offsetHeader = "x-stream-offset"

// TakeStreamOffset takes the place of a delivery in its stream, which the broker adds,
// out of its headers.
func TakeStreamOffset(d *Delivery) (offset uint64, ok bool) {
	n, ok := d.Headers[offsetHeader].(int64)
	if !ok || n < 0 {
		return 0, false
	}
	delete(d.Headers, offsetHeader)
	return uint64(n), true
}

// The broker drops whole segments, and never the one that is written to. So a
// stream is cut into ten, and one without a limit of size into pieces that fill
// in some hours of replies.
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

// openStream makes, or finds again, the stream, and reads on from where the link
// was, or from the past that was asked for.
func (s *session) openStream(ctx context.Context, ch *amqp.Channel, cs *consumerState) error {
	stream := cs.queue.Stream
	// Nothing is sent to it. It keeps a second link of this name away.
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
	end, known, err := s.streamEnd(ctx, cs)
	if err != nil {
		return err
	}
	if cs.served && !cs.stream.located {
		cs.noteOutage(0) // nothing has come yet that would tell where to read on
	}
	from := cs.stream.locate(stream.Backlog, end, known)
	args := amqp.Table{offsetHeader: "next"}
	if from != nil {
		args[offsetHeader] = int64(*from)
	}
	return s.consume(ch, cs, stream.Name, false, args)
}

// bindStream makes the bindings. If they had gone, it writes into the stream that
// messages are missing, and leaves the witness. One link does so at a time: the
// others find the witness, and read what was written.
func (s *session) bindStream(ctx context.Context, ch *amqp.Channel, cs *consumerState, existed bool) error {
	name := cs.queue.Stream.Name
	// Without the stream there is no witness: it goes with what it is bound to.
	if existed {
		if stood, _, err := s.bindingsIntact(ch, cs); err != nil {
			return err
		} else if stood {
			return s.bind(ch, cs, "stream", name)
		}
	}
	lock, err := s.lock(ctx, name+"_binding")
	if err != nil {
		return err
	}
	defer lock.release()
	stood, witnessed := false, false
	if existed {
		stood, witnessed, err = s.bindingsIntact(ch, cs)
	}
	if err == nil && !stood {
		stood, err = s.renewSentinels(ch, cs, witnessed, true)
	}
	if err != nil {
		return err
	}
	if stood {
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
		// There is no witness, so the next link tries again.
		s.link.log.Warn("the broker takes no marker into the stream: other readers do not hear of a gap",
			"stream", name, "from", gap.From, "to", gap.To, "error", s.whyNoMarker())
		cs.noteOutage(0)
		return nil
	case err != nil:
		return err
	}
	return makeRestartSentinel(ch, name)
}

// lockRetry is how long a link waits before it asks again for a lock, twice as long each
// time, and lockPatience for how long it asks. A link that died with the lock must not
// hold up the others; that a gap is then told twice does no harm.
const (
	lockRetry    = 20 * time.Millisecond
	lockPatience = 2 * time.Second
)

// lock waits until no other link holds the lock. One that the broker cannot reach, or that
// is held for long, is passed over: its holder is no more.
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

// streamLock is an exclusive queue, which one connection can have at a time.
type streamLock struct {
	channel *amqp.Channel
	name    string
}

// release lets the next one have it. If that fails, the connection is at its end,
// and the lock with it.
func (l *streamLock) release() {
	_, _ = l.channel.QueueDelete(l.name, false, false, false)
	_ = l.channel.Close()
}
