package amqpx

import (
	"time"

	amqp "github.com/rabbitmq/amqp091-go"
)

// position is a link's place in a stream. It is kept from session to session.
type position struct {
	located      bool      // next and live are known
	next         uint64    // the lowest offset that was not taken yet
	moved        bool      // something was taken: what is missing from next on is missed
	liveFrom     uint64    // the first offset that came after the link first stood
	end          uint64    // the stream had everything before it when this session began; 0 if unknown
	caughtUpOnce bool      // Live was called
	taken        time.Time // when something was last taken
	sent         time.Time // when that was sent, to its sender's knowledge

	// holding: the last marker said that a gap begins. held came after it.
	inGap    bool
	buffered []amqp.Delivery
}

// maxBuffered is how many messages are kept until the end of a gap is read. There are
// as many as came while the binding was made.
const maxBuffered = 10_000

// locate gives where to read on from. The stream ends before the offset end, if
// that is known. nil is with what comes next.
func (p *position) locate(past, end uint64, known bool) *uint64 {
	if p.end = 0; known {
		p.end = end
	}
	switch {
	case p.located && known && p.next > end:
		p.next, p.liveFrom = 0, 0 // it was deleted and made anew: all in it is new to us
	case p.located:
	case known:
		p.located, p.liveFrom, p.next = true, end, end-min(end, past)
	default:
		return nil
	}
	from := p.next
	return &from
}

// reachLive tells, once, that what comes from now on came after the link first stood.
func (cs *consumerState) reachLive() {
	p := &cs.stream
	if p.caughtUpOnce {
		return
	}
	cs.endGap(Gap{To: time.Now(), Replayed: true})
	p.caughtUpOnce = true
	if cs.queue.Stream.OnCaughtUp != nil {
		defer cs.guard("")
		cs.queue.Stream.OnCaughtUp()
	}
}

// ownRecords is more than the broker's own records may take of the offsets in one
// place: it writes one where a segment begins. What retention takes is whole
// segments, of more messages than that.
const ownRecords = 16

// takeFromStream hands over a message of a stream, and reads the links' own.
func (cs *consumerState) takeFromStream(d *amqp.Delivery) {
	p := &cs.stream
	offset, ok := d.Headers[offsetHeader].(int64)
	if !ok {
		return // no stream does that
	}
	at := uint64(offset)
	if at < p.next {
		return // the broker may begin with the chunk in which next is
	}
	now := time.Now()
	if at >= p.liveFrom {
		cs.reachLive()
	}
	if p.moved && at > p.next+ownRecords {
		// Retention has taken what we had not read yet.
		cs.endGap(Gap{To: now})
		cs.reportGap(Gap{From: p.taken.Add(-cs.latency), To: sentBy(d, p.taken, now)})
	}
	p.next, p.moved, p.located, p.taken, p.sent = at+1, true, true, now, d.Timestamp
	if isMarker(d, cs.queue.Stream.Name) {
		cs.takeMarker(d)
		return
	}
	if !p.inGap {
		cs.deliver(d)
		return
	}
	if p.buffered = append(p.buffered, *d); len(p.buffered) >= maxBuffered {
		cs.endGap(Gap{To: now})
	}
}

func (cs *consumerState) takeMarker(d *amqp.Delivery) {
	switch d.Type {
	case beginType:
		cs.stream.inGap = true
	case endType:
		gap, ok := readGap(d)
		if !ok {
			return
		}
		// We may know better than who wrote it.
		if cs.lastVerified.After(gap.From) && cs.lastVerified.Before(gap.To) {
			gap.From = cs.lastVerified
		}
		gap.Replayed = !cs.stream.caughtUpOnce && gap.To.Before(cs.linkMade)
		if cs.stream.inGap {
			cs.endGap(gap)
		} else {
			cs.reportGap(gap)
		}
	}
}

// endGap tells a gap that was begun, and hands over what came after it.
func (cs *consumerState) endGap(g Gap) {
	p := &cs.stream
	if !p.inGap {
		return
	}
	held := p.buffered
	p.inGap, p.buffered = false, nil
	cs.reportGap(g)
	for i := range held {
		cs.deliver(&held[i])
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
