package amqpx

import (
	"context"
	"errors"
	"fmt"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"
)

// StreamPast reads the past of a link's stream: what was in it before the messages that the link
// itself delivers. It has a consumer of its own, which does not delay those.
//
//	Since ───────────── the backlog ──── OnCaughtUp ──── live
//	  │ StreamPast.Read       │ Queue.Deliver                │
//
// After an error, Read goes on where it was.
type StreamPast struct {
	// Since is the time from which messages are wanted. The broker begins with whole chunks, so
	// some that are a little older come first.
	Since time.Time
	// Deliver gets each message, with its offset taken out, one at a time.
	Deliver func(*Delivery)
	// OnGap gets the gaps that links have written into the stream. It may be nil.
	OnGap func(Gap)
	// Pause is called after every few hundred messages, to leave time for others. It may be nil.
	Pause func(ctx context.Context)

	next  uint64 // the offset to go on from
	begun bool
	base  uint64 // the position of offset 0
}

// Offset returns the position of the message that is being delivered, for Deliver.
func (p *StreamPast) Offset() uint64 { return p.base + p.next - 1 }

// errNoSession: the link is down.
var errNoSession = errors.New("the link to the broker is down")

// The past is read with a credit of pastPrefetch messages. pastPatience is how long nothing may come
// until the rest counts as read: the last offsets may be the broker's own records.
const (
	pastPrefetch = 256
	pastPatience = 10 * time.Second
)

// ReadPast reads the past of the link's stream. It must be called after [Stream].OnCaughtUp. It
// returns nil once everything was delivered, or an error if the link breaks or the context ends.
func (l *Link) ReadPast(ctx context.Context, p *StreamPast) error {
	s, cs := l.serving.Load(), l.streamState()
	if cs == nil {
		return errNoStream
	}
	if s == nil {
		return errNoSession
	}
	end := cs.begunAt.Load()
	if end == 0 || p.begun && p.next >= end {
		return nil // nothing is before it, or where it begins is not known
	}
	p.base = cs.numberBase.Load()
	ch, err := s.consuming.Channel()
	if err != nil {
		return err
	}
	defer ch.Close()
	deliveries, err := p.consume(ch, cs.queue.Stream.Name)
	if err != nil {
		return fmt.Errorf("reading the past of the stream %s: %w", cs.queue.Stream.Name, err)
	}
	return p.take(ctx, s.broken, ch, deliveries, end, cs.queue.Stream.Name)
}

// streamState returns the state of the queue that is a stream, or nil.
func (l *Link) streamState() *consumerState {
	for _, cs := range l.consumerStates {
		if cs.queue.Stream != nil {
			return cs
		}
	}
	return nil
}

func (p *StreamPast) consume(ch *amqp.Channel, stream string) (<-chan amqp.Delivery, error) {
	if err := ch.Qos(pastPrefetch, 0, false); err != nil {
		return nil, err
	}
	args := amqp.Table{offsetHeader: p.Since}
	if p.begun {
		args[offsetHeader] = int64(p.next)
	}
	const autoAck, exclusive, noLocal, noWait = false, false, false, false
	return ch.Consume(stream, "past", autoAck, exclusive, noLocal, noWait, args)
}

// take takes deliveries up to an offset.
func (p *StreamPast) take(ctx context.Context, broken <-chan struct{}, ch *amqp.Channel, deliveries <-chan amqp.Delivery, end uint64, stream string) error {
	idle := time.NewTimer(pastPatience)
	defer idle.Stop()
	for taken := 1; ; taken++ {
		select {
		case d, ok := <-deliveries:
			if !ok {
				return errNoSession
			}
			if p.deliver(&d, end, stream) {
				return nil
			}
			if taken%(pastPrefetch/2) != 0 {
				continue
			}
			if p.Pause != nil {
				p.Pause(ctx)
			}
			if err := ch.Ack(d.DeliveryTag, true); err != nil {
				return err
			}
			idle.Reset(pastPatience)
		case <-idle.C:
			return nil
		case <-broken:
			return errNoSession
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// deliver hands over a message, and reports whether the past has ended.
func (p *StreamPast) deliver(d *amqp.Delivery, end uint64, stream string) (done bool) {
	offset, ok := TakeStreamOffset(d)
	if !ok || p.begun && offset < p.next {
		return false // the broker may begin with the chunk that contains next
	}
	if offset >= end {
		return true
	}
	p.next, p.begun = offset+1, true
	switch {
	case isMarker(d, stream):
		if gap, ok := readGap(d); ok && d.Type == endType && p.OnGap != nil {
			gap.Replayed = true
			p.OnGap(gap)
		}
	case poisonReason(d) == "":
		decode10(d)
		p.Deliver(d)
	}
	return offset+1 >= end
}
