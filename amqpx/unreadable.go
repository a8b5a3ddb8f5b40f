package amqpx

import (
	"errors"
	"fmt"
	"slices"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"
)

// A message can come that nobody can read. Headers that the library refuses are
// replaced (mend.go), and the message is dropped. A message over which the broker itself
// fails (AMQP 1.0 with a property of type uuid or char, which RabbitMQ cannot turn into
// AMQP 0-9-1) breaks the connection with an internal error. An exclusive queue is gone with
// that, and the message with it. From a queue that lives on, or a stream, it comes again,
// at every link, and nothing after it ever would. So after two such failures the link steps
// over it, and tells the gap.

// whyUnreadable says why a message cannot be read, or "".
func whyUnreadable(d *amqp.Delivery) string {
	reason, _ := d.Headers[unreadableHeader].(string)
	return reason
}

// unreadableEvery is how often the log has a message that cannot be read.
const unreadableEvery = time.Second

// dropUnreadable names a message in the log, or counts it for the next one.
func (in *intake) dropUnreadable(d *amqp.Delivery, reason string) {
	in.unread++
	if now := time.Now(); now.Sub(in.unreadTold) >= unreadableEvery {
		in.log.Error("dropped a message that cannot be read", "reason", reason, "queue", in.queue.Name, "routing_key", d.RoutingKey,
			"message_id", d.MessageId, "app_id", d.AppId, "dropped", in.unread)
		in.unreadTold, in.unread = now, 0
	}
}

// brokerFailed reports whether the broker ended the connection because it failed itself.
func brokerFailed(err error) bool {
	e, ok := errors.AsType[*amqp.Error](err)
	return ok && e.Server && e.Code == amqp.InternalError
}

// noteUnreadable prepares the next session when one has ended, or could not begin.
func (s *session) noteUnreadable() {
	brief := time.Since(later(s.began, s.consumed)) < settledAfter
	for _, in := range s.link.intakes {
		if s.failed.Load() && s.serving && in.queue.Stream == nil && in.sooner.Before(in.clear) {
			in.clear = in.sooner
		}
		consumed := slices.ContainsFunc(s.consumers, func(c *consumer) bool { return c.intake == in })
		switch {
		case in.queue.Expires == 0 && in.queue.Stream == nil || !consumed:
		case !s.failed.Load():
			if !brief {
				in.failures, in.careful = 0, false
			}
		case in.failures == 0 || !brief || in.queue.Stream != nil && in.stream.caughtUp():
			in.failures = 1
			in.careful = in.queue.Stream != nil // then it is the next one that was not taken
		case in.queue.Stream == nil:
			in.careful = true
		case in.careful && in.stream.located:
			// Everything before it was taken.
			s.link.log.Error("stepped over a message that the broker cannot deliver", "stream", in.holder(), "offset", in.stream.next)
			in.failures, in.careful = 0, false
			in.lostSince(in.stream.skip(in.late))
			s.link.stepped = true
		}
	}
}

// stepOver takes the messages at the head of a queue that lives on one by one, and
// without acknowledgement: the one that breaks the connection is gone with it. It can
// be none but those that were on their way to the link.
func (s *session) stepOver(in *intake, queue string) error {
	ch, err := s.consuming.Channel()
	if err != nil {
		return err
	}
	defer ch.Close()
	in.repeats.begin()
	in.tell() // of one that was stepped over before
	for range 2 * in.prefetch {
		const autoAck = true
		d, ok, err := ch.Get(queue, autoAck)
		if err == nil && ok {
			in.take(&d)
			continue
		}
		if err == nil || refusedWith(err, amqp.NotFound) {
			break
		}
		if fromBroker(err) && !brokerFailed(err) {
			return topology("queue", queue, err)
		}
		<-s.broken
		if s.failed.Load() {
			s.link.log.Error("stepped over a message that the broker cannot deliver", "queue", queue)
			s.link.stepped = true
		}
		in.lostTaken()
		return err
	}
	in.failures, in.careful = 0, false
	return nil
}

// hasten makes the next pause the first one if the last session has got past a message:
// a sender of one a second must not hold up all that others send.
func (l *Link) hasten(pause *backoff) {
	if l.stepped {
		pause.reset()
	}
	l.stepped = false
}

// lostTaken notes that a message which the broker had kept until now was perhaps lost on
// its way.
func (in *intake) lostTaken() { in.lostSince(in.clear) }

// lostSince notes that a message was lost that was sent after the time given.
func (in *intake) lostSince(from time.Time) {
	in.gap, in.after = &Gap{From: in.untold(from), To: time.Now()}, 0
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
		c.intake.failures, c.intake.careful = 0, false
		return fmt.Errorf("the message in the %s over which the broker failed comes no more", c.intake.what())
	}
	return nil
}
