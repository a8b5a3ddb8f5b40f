package amqpx

import (
	"context"
	"errors"
	"fmt"

	amqp "github.com/rabbitmq/amqp091-go"
)

// StreamRange is a part of a link's stream.
type StreamRange struct {
	// From and Until are positions: Until is not part of the range.
	From, Until uint64
	// Deliver gets each message, with its offset taken out, one at a time.
	Deliver func(offset uint64, d *Delivery)
	// OnGap gets the gaps that links have written into the stream. It may be nil.
	OnGap func(offset uint64, g Gap)
}

// errNoStream: the link has no queue that is a stream.
var errNoStream = errors.New("amqpx: the link reads no stream")

// ReadRange reads a part of the link's stream, with a consumer of its own, which does not delay the link's. It returns the
// position of the oldest message in the stream: what is before it in the range is not there any more. The range should end
// at or before the last message that the link has delivered; it may be read by several goroutines.
func (l *Link) ReadRange(ctx context.Context, r StreamRange) (oldest uint64, err error) {
	s, cs := l.serving.Load(), l.streamState()
	if cs == nil {
		return 0, errNoStream
	}
	if s == nil {
		return 0, errNoSession
	}
	ch, err := s.consuming.Channel()
	if err != nil {
		return 0, err
	}
	defer ch.Close()
	stream := cs.queue.Stream.Name
	if oldest, err = oldestOffset(ctx, s.broken, ch, stream); err != nil {
		return 0, fmt.Errorf("reading the beginning of the stream %s: %w", stream, err)
	}
	// What is before the base was in a stream that was deleted.
	base := cs.numberBase.Load()
	p := &StreamPast{base: base, next: max(r.From, base+oldest) - base, begun: true}
	if base+p.next >= r.Until {
		return base + oldest, nil
	}
	p.Deliver = func(d *Delivery) { r.Deliver(p.Offset(), d) }
	if r.OnGap != nil {
		p.OnGap = func(g Gap) { r.OnGap(p.Offset(), g) }
	}
	deliveries, err := p.consume(ch, stream)
	if err == nil {
		err = p.take(ctx, s.broken, ch, deliveries, r.Until-base, stream)
	}
	if err != nil {
		return 0, fmt.Errorf("reading the stream %s: %w", stream, err)
	}
	return base + oldest, nil
}

// oldestOffset returns the offset of the first message in a stream.
func oldestOffset(ctx context.Context, broken <-chan struct{}, ch *amqp.Channel, stream string) (uint64, error) {
	if err := ch.Qos(1, 0, false); err != nil {
		return 0, err
	}
	const consumer = "oldest"
	const autoAck, exclusive, noLocal, noWait = false, false, false, false
	deliveries, err := ch.Consume(stream, consumer, autoAck, exclusive, noLocal, noWait, amqp.Table{offsetHeader: "first"})
	if err != nil {
		return 0, err
	}
	select {
	case d, ok := <-deliveries:
		if !ok {
			return 0, errNoSession
		}
		offset, _ := TakeStreamOffset(&d)
		if err := ch.Cancel(consumer, noWait); err != nil {
			return 0, err
		}
		return offset, ch.Ack(d.DeliveryTag, false)
	case <-broken:
		return 0, errNoSession
	case <-ctx.Done():
		return 0, ctx.Err()
	}
}
