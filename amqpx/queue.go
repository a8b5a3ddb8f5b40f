package amqpx

import (
	"errors"
	"fmt"
	"math"
	"time"
)

// Queue is a queue that the link consumes, or a stream that it reads.
//
//	            lives        while the link is down   after it      may be lost
//	exclusive   connection   nothing is kept          new only      always: [Queue.OnGap]
//	Expires     that long    messages wait            the rest      when it expired, when its bindings had gone
//	Stream      for ever     messages wait            the rest      when its bindings had gone
//
// Bindings go with the exchange, which lives as long as the broker; with a RabbitMQ that
// keeps exchanges in Khepri they outlive a restart.
type Queue struct {
	// Name of the queue, at most 233 bytes. No other link may use it: it is the
	// name under which a second program of the same name is refused. What outlives
	// the link has another name: the stream's own, or Name and "_kept". While the
	// broker takes Name to be held by a connection that is no more, the link holds
	// another one, which is Name and a suffix.
	Name string
	// Bindings are topic patterns on the link's exchange. A queue that outlives the
	// link keeps them: a pattern that is given no more stays bound.
	Bindings []string
	// Deliver gets each message, in order and one at a time. While it blocks,
	// the broker keeps what comes beyond the prefetch. The delivery is
	// acknowledged by the link.
	Deliver func(*Delivery)
	// Ready reports whether Deliver would not block now. Then a message that comes alone
	// is delivered on the goroutine that has read it from the network, which is sooner than
	// on one that must be woken, but nothing else is read meanwhile. nil never is.
	CanDeliver func() bool
	// Expires keeps the queue, and what is sent to it, for this long without the
	// link: a quorum queue where the broker has them. 0: the queue is exclusive and
	// dies with its connection. What was handed
	// to Deliver and comes again after a relink, because its acknowledgement was
	// lost, is left out. A new process may get again what the last one got in its
	// last moments, if that was killed.
	Expires time.Duration
	// Stream makes it a RabbitMQ stream, shared by all who read it. nil: a queue.
	Stream *Stream
	// Missed is told, between the deliveries where it belongs, of a span of time
	// in which messages may have been lost. It is called like Deliver. May be nil.
	//
	// Nothing is told at the first link of a process, unless a queue or stream that
	// was there already had lost its bindings: then From is zero.
	OnGap func(Gap)
}

// Gap is a span of time in which messages may have been lost, by this machine's
// clock. What was sent outside of it was not lost by the link.
type Gap struct {
	From time.Time // zero when unknown
	To   time.Time // when the broker had confirmed the last binding
	// Old: it ended before this link was made, and was told in its time by another
	// one. It is told again for its place in a stream's past.
	Replayed bool
}

// maxExpires is what RabbitMQ takes: 32 bits of milliseconds.
const maxExpires = math.MaxUint32 * time.Millisecond

// check refuses what the broker would refuse, or what contradicts itself.
func (q Queue) check() error {
	if err := checkShort("queue name", restartSentinelOf(keptOf(q.Name))); err != nil {
		return err
	}
	if q.Expires < 0 || q.Expires > 0 && q.Expires < time.Millisecond || q.Expires > maxExpires {
		return fmt.Errorf("amqpx: the queue %q expires after %v; give 0, or a millisecond to 49 days", q.Name, q.Expires)
	}
	switch {
	case q.Stream != nil && q.Expires > 0:
		return fmt.Errorf("amqpx: the queue %q is a stream, which does not expire; give MaxAge", q.Name)
	case q.Stream != nil:
		return q.Stream.check(q.Name)
	}
	return nil
}

// livesOn reports whether the queue, or stream, outlives its link.
func (q Queue) livesOn() bool { return q.Expires > 0 || q.Stream != nil }

func (s Stream) check(queue string) error {
	switch {
	case s.Name == "" || s.Name == queue:
		return fmt.Errorf("amqpx: the stream of the queue %q needs a name of its own", queue)
	case s.MaxAge < 0 || s.MaxAge > 0 && s.MaxAge < time.Second:
		return errors.New("amqpx: a stream's age is counted in seconds")
	case s.MaxBytes < 0:
		return errors.New("amqpx: a stream's size cannot be negative")
	}
	return checkShort("stream name", restartSentinelOf(s.Name))
}
