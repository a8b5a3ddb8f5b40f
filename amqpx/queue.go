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
// Bindings are lost with the exchange, and the exchange with the broker, except that a RabbitMQ
// that keeps exchanges in Khepri keeps them over a restart.
type Queue struct {
	// Name of the queue, at most 233 bytes. Only one link at a time may use it: a second
	// program with the same name is refused. A queue that outlives the link has a different
	// name: Name and "_kept", or the stream's. While the broker believes that a connection
	// that is gone holds Name, the link uses Name and a random suffix instead.
	Name string
	// Bindings are topic patterns on the link's exchange. A queue that outlives the link keeps
	// them: a pattern that is no longer given stays bound.
	Bindings []string
	// Deliver gets each message, in order and one at a time. While it blocks, the broker keeps
	// the messages beyond the prefetch. The link acknowledges the delivery.
	Deliver func(*Delivery)
	// DeliverWaited, if set, gets the messages in place of Deliver that waited in a queue that
	// outlives the link, or in a stream, since before the session that reads them began: they may
	// have been sent long ago.
	DeliverWaited func(*Delivery)
	// CanDeliver reports whether Deliver would return at once. If so, a message that comes
	// alone is delivered on the goroutine that has read it from the network, which saves
	// waking another one; nothing else is read meanwhile. nil means never.
	CanDeliver func() bool
	// Expires keeps the queue, and the messages sent to it, for this long without the link, in
	// a quorum queue if the broker has them. 0 is an exclusive queue, which dies with its
	// connection. A message that comes again on a new connection, because its acknowledgement
	// was lost, is not delivered twice. If a process is killed, the next one may get the
	// messages of its last moments again.
	Expires time.Duration
	// Stream makes it a RabbitMQ stream, shared by all its readers. nil is a queue.
	Stream *Stream
	// OnGap is called with a span of time in which messages may have been lost, at its place
	// between the deliveries. Like Deliver, it is called one at a time. It may be nil.
	//
	// The first connection of a process reports no gap, unless a queue or stream that existed
	// before had lost its bindings: then From is zero.
	OnGap func(Gap)
}

// Gap is a span of time, by this machine's clock, in which messages may have been lost. The
// link has lost no message sent outside of it.
type Gap struct {
	From time.Time // zero if unknown
	To   time.Time // when the broker had confirmed the last binding
	// Replayed reports that the gap ended before this link was made, and another link reported
	// it then. It is reported again at its place in the backlog of a stream.
	Replayed bool
}

// maxExpires is the most that RabbitMQ accepts: 32 bits of milliseconds.
const maxExpires = math.MaxUint32 * time.Millisecond

// check returns an error if the broker would refuse the queue, or if its fields contradict
// each other.
func (q Queue) check() error {
	if err := checkShort("queue name", restartSentinelOf(keptOf(q.Name))); err != nil {
		return err
	}
	if q.Deliver == nil {
		return fmt.Errorf("amqpx: the queue %q has no Deliver, which gets its messages", q.Name)
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

// livesOn reports whether the queue or stream outlives its link.
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
