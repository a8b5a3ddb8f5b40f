package amqpx

import (
	"errors"
	"fmt"
	"strings"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"
)

// The library takes no headers that are nested more than 32 deep, or of more than 8192
// entries, and closes the connection over a message that has them; brokers and
// other clients know no such bounds. An exclusive queue is gone with that, and the
// message with it. From a queue that lives on, or a stream, it comes again, at every
// link, and nothing after it ever would. So the link steps over it.

// tooOdd tells whether a connection ended over such a message.
func tooOdd(err error) bool {
	e, ok := errors.AsType[*amqp.Error](err)
	return ok && !e.Server && strings.Contains(e.Reason, amqp.ErrSyntax.Reason)
}

// noteUnreadable prepares the next session, when one has ended.
func (s *session) noteUnreadable() {
	if !tooOdd(s.reason) {
		return
	}
	for _, in := range s.link.intakes {
		switch {
		case in.queue.Expires > 0:
			in.careful = true
		case in.queue.Stream != nil && in.careful:
			// Everything before it was taken.
			s.link.log.Error("dropped a message that cannot be read", "stream", in.holder(), "offset", in.stream.next)
			in.stream.next++
			in.careful = false
		case in.queue.Stream != nil:
			in.careful = true // then it is the next one that was not taken
		}
	}
}

// stepOver takes the messages at the head of a queue that lives on one by one, and
// without acknowledgement: the one that breaks the connection is gone with it. It can
// be none but those that were on their way to the link.
func (s *session) stepOver(in *intake) error {
	ch, err := s.consuming.Channel()
	if err != nil {
		return err
	}
	defer ch.Close()
	in.repeats.begin()
	for range 2 * in.prefetch {
		const autoAck = true
		d, ok, err := ch.Get(in.holder(), autoAck)
		if err == nil && ok {
			in.take(&d)
			continue
		}
		if err == nil || refusedWith(err, amqp.NotFound) {
			break
		}
		if said(err) {
			return topology("queue", in.holder(), err)
		}
		<-s.broken
		if tooOdd(s.why()) {
			s.link.log.Error("dropped a message that cannot be read", "queue", in.holder())
		} else {
			in.lostTaken()
		}
		return err
	}
	in.careful = false
	return nil
}

// lostTaken notes that a message which the broker had kept until now was perhaps lost on
// its way.
func (in *intake) lostTaken() {
	from := in.clear
	if in.gap != nil && in.gap.From.Before(from) {
		from = in.gap.From // nobody was told of that one yet
	}
	in.gap, in.after = &Gap{From: from, To: time.Now()}, 0
}

// pace is how many deliveries of a queue may be on their way.
func (in *intake) pace() int {
	if in.careful {
		return 1
	}
	return in.prefetch
}

// outpaced ends a careful session that has passed every message that was on its way
// when the last one ended.
func (c *consumer) outpaced(last uint64) error {
	if c.intake.careful && last > 2*uint64(c.intake.prefetch) {
		c.intake.careful = false
		return fmt.Errorf("the message in the %s that could not be read comes no more", c.intake.what())
	}
	return nil
}
