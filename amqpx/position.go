package amqpx

import (
	"time"

	amqp "github.com/rabbitmq/amqp091-go"
)

// position is where a link reads a stream. It is kept from session to session.
type position struct {
	begun        bool      // the link knows where it began to read
	located      bool      // next and liveFrom are known
	next         uint64    // the lowest offset that was not taken yet
	moved        bool      // something was taken, so what is missing from next on was lost
	liveFrom     uint64    // the first offset after the first connection of the link
	end          uint64    // the first offset that the stream did not have when this session began; 0 if unknown
	caughtUpOnce bool      // OnCaughtUp was called
	taken        time.Time // when a message was last taken
	sent         time.Time // when that was sent, according to its sender

	marked bool // this session has written a gap into the stream

	// renumbered is set if the stream was deleted and declared again since the last session: it is of
	// another generation (anew), or has fewer offsets than were read of it.
	anew, renumbered bool
	toldUntil        time.Time // the end of the gap that was told of that, until it or a message is read
	// inGap is set if the last marker began a gap. buffered holds the messages after it.
	inGap    bool
	buffered []amqp.Delivery
}

// maxBuffered is how many messages are held back until the end of a gap is read: those that arrived
// while the binding was made.
const maxBuffered = 10_000

// locate returns the offset to read on from; nil is the next message that arrives. end is the first
// offset that the stream does not have, if that is known.
func (p *position) locate(past, end uint64, known bool) *uint64 {
	if p.end = 0; known {
		p.end = end
	}
	p.renumbered = p.located && (p.anew || known && p.next > end)
	switch {
	case p.renumbered:
		p.next, p.liveFrom = 0, 0 // the stream was deleted and declared again: everything in it is new
	case p.located:
	case known:
		p.located, p.liveFrom, p.next = true, end, end-min(end, past)
	default:
		return nil
	}
	from := p.next
	return &from
}

// reachLive notes, once, that everything from now on arrived after the first connection.
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

// ownRecords is more than how many consecutive offsets the broker's own records may take: it
// writes one at the start of a segment. Retention removes whole segments, of more messages than
// that.
const ownRecords = 16

// takeFromStream hands over a message of a stream, and reads the markers.
func (cs *consumerState) takeFromStream(d *amqp.Delivery) {
	p := &cs.stream
	offset, ok := d.Headers[offsetHeader].(int64)
	if !ok {
		return // no stream sends this
	}
	at := uint64(offset)
	if at < p.next {
		return // the broker may begin with the chunk that contains next
	}
	now := time.Now()
	if at >= p.liveFrom {
		cs.reachLive()
	}
	if p.moved && at > p.next+ownRecords {
		// Retention has removed messages that were not read yet.
		cs.endGap(Gap{To: now})
		cs.reportGap(Gap{From: p.taken.Add(-cs.latency), To: sentBy(d, p.taken, now)})
	}
	p.next, p.moved, p.located, p.taken, p.sent = at+1, true, true, now, d.Timestamp
	if isMarker(d, cs.queue.Stream.Name) {
		cs.takeMarker(d)
		return
	}
	d.Headers[offsetHeader] = int64(cs.numberBase.Load()) + offset
	if !p.inGap {
		p.toldUntil = time.Time{}
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
		// This link may know better than the one that wrote the marker.
		if cs.lastVerified.After(gap.From) && cs.lastVerified.Before(gap.To) {
			gap.From = cs.lastVerified
		}
		gap.Replayed = !cs.stream.caughtUpOnce && gap.To.Before(cs.linkMade)
		if cs.stream.inGap {
			cs.endGap(gap)
		} else if gap, ok := cs.stream.narrowTold(gap); ok {
			cs.reportGap(gap)
		}
	}
}

// endGap reports a gap, and hands over the messages that were held back since it began.
func (cs *consumerState) endGap(g Gap) {
	p := &cs.stream
	if !p.inGap {
		return
	}
	held := p.buffered
	p.inGap, p.buffered = false, nil
	if g, ok := p.narrowTold(g); ok {
		cs.reportGap(g)
	}
	for i := range held {
		cs.deliver(&held[i])
	}
}

// caughtUp reports whether everything that was in the stream when this session began was taken,
// so that no message of that time stops the link.
func (p *position) caughtUp() bool { return p.end > 0 && p.next >= p.end }

// skip skips a message that never arrives. It returns a time after which the message was sent;
// zero if none is known.
func (p *position) skip(late time.Duration) (after time.Time) {
	p.next++
	return p.readUntil(late)
}

// readUntil returns a time after which every message was sent that comes after the last one that was
// taken; zero if none is known.
func (p *position) readUntil(late time.Duration) time.Time {
	switch {
	case p.taken.IsZero():
		return time.Time{}
	case !p.sent.IsZero() && p.sent.Before(p.taken.Add(-late)):
		return p.sent // it waited in the stream, and so may the next one
	}
	return p.taken.Add(-late)
}

// sentBy returns a time by which the message was sent. Its timestamp is in whole seconds, and is
// ignored if it is before that of the previous message.
func sentBy(d *amqp.Delivery, earliest, now time.Time) time.Time {
	if by := d.Timestamp.Add(time.Second); by.After(earliest) && by.Before(now) {
		return by
	}
	return now
}
