package amqpx

import (
	"time"

	amqp "github.com/rabbitmq/amqp091-go"
)

// position is a link's place in a stream. It is kept from session to session.
type position struct {
	located bool      // next and live are known
	next    uint64    // the lowest offset that was not taken yet
	moved   bool      // something was taken: what is missing from next on is missed
	live    uint64    // the first offset that came after the link first stood
	end     uint64    // the stream had everything before it when this session began; 0 if unknown
	told    bool      // Live was called
	taken   time.Time // when something was last taken
	sent    time.Time // when that was sent, to its sender's knowledge

	// holding: the last marker said that a gap begins. held came after it.
	holding bool
	held    []amqp.Delivery
}

// heldMost is how many messages are kept until the end of a gap is read. There are
// as many as came while the binding was made.
const heldMost = 10_000

// locate gives where to read on from. The stream ends before the offset end, if
// that is known. nil is with what comes next.
func (p *position) locate(past, end uint64, known bool) *uint64 {
	if p.end = 0; known {
		p.end = end
	}
	switch {
	case p.located && known && p.next > end:
		p.next, p.live = 0, 0 // it was deleted and made anew: all in it is new to us
	case p.located:
	case known:
		p.located, p.live, p.next = true, end, end-min(end, past)
	default:
		return nil
	}
	from := p.next
	return &from
}

// goLive tells, once, that what comes from now on came after the link first stood.
func (in *intake) goLive() {
	p := &in.stream
	if p.told {
		return
	}
	in.release(Gap{To: time.Now(), Replayed: true})
	p.told = true
	if in.queue.Stream.OnCaughtUp != nil {
		defer in.guard("")
		in.queue.Stream.OnCaughtUp()
	}
}

// ownRecords is more than the broker's own records may take of the offsets in one
// place: it writes one where a segment begins. What retention takes is whole
// segments, of more messages than that.
const ownRecords = 16

// takeOfStream hands over a message of a stream, and reads the links' own.
func (in *intake) takeOfStream(d *amqp.Delivery) {
	p := &in.stream
	offset, ok := d.Headers[offsetHeader].(int64)
	if !ok {
		return // no stream does that
	}
	at := uint64(offset)
	if at < p.next {
		return // the broker may begin with the chunk in which next is
	}
	now := time.Now()
	if at >= p.live {
		in.goLive()
	}
	if p.moved && at > p.next+ownRecords {
		// Retention has taken what we had not read yet.
		in.release(Gap{To: now})
		in.miss(Gap{From: p.taken.Add(-in.late), To: sentBy(d, p.taken, now)})
	}
	p.next, p.moved, p.located, p.taken, p.sent = at+1, true, true, now, d.Timestamp
	if isMarker(d, in.queue.Stream.Name) {
		in.takeMarker(d)
		return
	}
	if !p.holding {
		in.deliver(d)
		return
	}
	if p.held = append(p.held, *d); len(p.held) >= heldMost {
		in.release(Gap{To: now})
	}
}

func (in *intake) takeMarker(d *amqp.Delivery) {
	switch d.Type {
	case beginType:
		in.stream.holding = true
	case endType:
		gap, ok := readGap(d)
		if !ok {
			return
		}
		// We may know better than who wrote it.
		if in.stood.After(gap.From) && in.stood.Before(gap.To) {
			gap.From = in.stood
		}
		gap.Replayed = !in.stream.told && gap.To.Before(in.made)
		if in.stream.holding {
			in.release(gap)
		} else {
			in.miss(gap)
		}
	}
}

// release tells a gap that was begun, and hands over what came after it.
func (in *intake) release(g Gap) {
	p := &in.stream
	if !p.holding {
		return
	}
	held := p.held
	p.holding, p.held = false, nil
	in.miss(g)
	for i := range held {
		in.deliver(&held[i])
	}
}

// caughtUp reports whether all was taken that was in the stream when this session began: no
// message before that stands in the way.
func (p *position) caughtUp() bool { return p.end > 0 && p.next >= p.end }

// skip steps over a message that never comes. It was sent after the time given, or nobody
// knows when.
func (p *position) skip(late time.Duration) (after time.Time) {
	p.next++
	switch {
	case p.taken.IsZero():
		return time.Time{}
	case !p.sent.IsZero() && p.sent.Before(p.taken.Add(-late)):
		return p.sent // it waited in the stream, as what comes next may have
	}
	return p.taken.Add(-late)
}

// sentBy is a time by which the message was sent. Its own is in whole seconds, and is
// not believed if it is before that of the message before it.
func sentBy(d *amqp.Delivery, earliest, now time.Time) time.Time {
	if by := d.Timestamp.Add(time.Second); by.After(earliest) && by.Before(now) {
		return by
	}
	return now
}
