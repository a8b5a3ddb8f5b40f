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

// poisonReason says why a message cannot be read, or "".
func poisonReason(d *amqp.Delivery) string {
	reason, _ := d.Headers[poisonHeader].(string)
	return reason
}

// poisonLogEvery is how often the log has a message that cannot be read.
const poisonLogEvery = time.Second

// dropPoison names a message in the log, or counts it for the next one.
func (cs *consumerState) dropPoison(d *amqp.Delivery, reason string) {
	cs.poisonCount++
	if now := time.Now(); now.Sub(cs.poisonLogged) >= poisonLogEvery {
		cs.log.Error("dropped a message that cannot be read", "reason", reason, "queue", cs.queue.Name, "routing_key", d.RoutingKey,
			"message_id", d.MessageId, "app_id", d.AppId, "dropped", cs.poisonCount)
		cs.poisonLogged, cs.poisonCount = now, 0
	}
}

// brokerFailed reports whether the broker ended the connection because it failed itself.
func brokerFailed(err error) bool {
	e, ok := errors.AsType[*amqp.Error](err)
	return ok && e.Server && e.Code == amqp.InternalError
}

// notePoison prepares the next session when one has ended, or could not begin.
func (s *session) notePoison() {
	brief := time.Since(later(s.began, s.consumed)) < stableAfter
	for _, cs := range s.link.consumerStates {
		if s.failed.Load() && s.serving && cs.queue.Stream == nil && cs.completeIfBrokerFailed.Before(cs.completeUntil) {
			cs.completeUntil = cs.completeIfBrokerFailed
		}
		consumed := slices.ContainsFunc(s.consumers, func(c *consumer) bool { return c.state == cs })
		switch {
		case cs.queue.Expires == 0 && cs.queue.Stream == nil || !consumed:
		case !s.failed.Load():
			if !brief {
				cs.brokerFailures, cs.probing = 0, false
			}
		case cs.brokerFailures == 0 || !brief || cs.queue.Stream != nil && cs.stream.caughtUp():
			cs.brokerFailures = 1
			cs.probing = cs.queue.Stream != nil // then it is the next one that was not taken
		case cs.queue.Stream == nil:
			cs.probing = true
		case cs.probing && cs.stream.located:
			// Everything before it was taken.
			s.link.log.Error("stepped over a message that the broker cannot deliver", "stream", cs.queueName(), "offset", cs.stream.next)
			cs.brokerFailures, cs.probing = 0, false
			cs.noteLossSince(cs.stream.skip(cs.latency))
			s.link.skippedPoison = true
		}
	}
}

// skipPoison takes the messages at the head of a queue that lives on one by one, and
// without acknowledgement: the one that breaks the connection is gone with it. It can
// be none but those that were on their way to the link.
func (s *session) skipPoison(cs *consumerState, queue string) error {
	ch, err := s.consuming.Channel()
	if err != nil {
		return err
	}
	defer ch.Close()
	cs.redelivered.begin()
	cs.reportPendingGap() // of one that was stepped over before
	for range 2 * cs.prefetch {
		const autoAck = true
		d, ok, err := ch.Get(queue, autoAck)
		if err == nil && ok {
			cs.take(&d)
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
			s.link.skippedPoison = true
		}
		cs.noteLoss()
		return err
	}
	cs.brokerFailures, cs.probing = 0, false
	return nil
}

// resetAfterSkip makes the next pause the first one if the last session has got past a message:
// a sender of one a second must not hold up all that others send.
func (l *Link) resetAfterSkip(pause *backoff) {
	if l.skippedPoison {
		pause.reset()
	}
	l.skippedPoison = false
}

// noteLoss notes that a message which the broker had kept until now was perhaps lost on
// its way.
func (cs *consumerState) noteLoss() { cs.noteLossSince(cs.completeUntil) }

// noteLossSince notes that a message was lost that was sent after the time given.
func (cs *consumerState) noteLossSince(from time.Time) {
	cs.gap, cs.gapAfter = &Gap{From: cs.gapStart(from), To: time.Now()}, 0
}

// currentPrefetch is how many deliveries of a queue may be on their way.
func (cs *consumerState) currentPrefetch() int {
	if cs.probing {
		return 1
	}
	return cs.prefetch
}

// endProbing ends a careful session that has passed every message that was on its way
// when the last one ended.
func (c *consumer) endProbing(last uint64) error {
	if c.state.probing && last > 2*uint64(c.state.prefetch) {
		c.state.brokerFailures, c.state.probing = 0, false
		return fmt.Errorf("the message in the %s over which the broker failed comes no more", c.state.describe())
	}
	return nil
}
