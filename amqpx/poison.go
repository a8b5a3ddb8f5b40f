package amqpx

import (
	"errors"
	"fmt"
	"slices"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"
)

// A poison message is one that cannot be read. If the library refuses its headers, the interceptor
// replaces them (sanitize.go), and the message is dropped. If the broker itself fails over it (AMQP
// 1.0 with a property of type uuid or char, which RabbitMQ cannot convert to AMQP 0-9-1), it closes
// the connection with an internal error. An exclusive queue is deleted with the connection, and the
// message with it. From a queue that outlives the link, or from a stream, the message comes again
// at every connection, and nothing after it ever would. So after two such failures the link skips
// it, and reports a gap.

// poisonReason returns why a message cannot be read, or "".
func poisonReason(d *amqp.Delivery) string {
	reason, _ := d.Headers[poisonHeader].(string)
	return reason
}

// poisonLogEvery is how often the log shows a poison message.
const poisonLogEvery = time.Second

// dropPoison logs a poison message, or counts it for the next log line.
func (cs *consumerState) dropPoison(d *amqp.Delivery, reason string) {
	cs.poisonCount++
	if now := time.Now(); now.Sub(cs.poisonLogged) >= poisonLogEvery {
		cs.log.Error("dropped a message that cannot be read", "reason", reason, "queue", cs.queue.Name, "routing_key", d.RoutingKey,
			"message_id", d.MessageId, "app_id", d.AppId, "dropped", cs.poisonCount)
		cs.poisonLogged, cs.poisonCount = now, 0
	}
}

// brokerFailed reports whether the broker ended the connection with an internal error.
func brokerFailed(err error) bool {
	e, ok := errors.AsType[*amqp.Error](err)
	return ok && e.Server && e.Code == amqp.InternalError
}

// notePoison prepares the next session after one has ended or could not begin.
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
			cs.probing = cs.queue.Stream != nil // then the poison is the next one that was not taken
		case cs.queue.Stream == nil:
			cs.probing = true
		case cs.probing && cs.stream.located:
			// Everything before it was taken.
			s.link.log.Error("skipped a message that the broker cannot deliver", "stream", cs.queueName(), "offset", cs.stream.next)
			cs.brokerFailures, cs.probing = 0, false
			cs.noteLossSince(cs.stream.skip(cs.latency))
			s.link.skippedPoison = true
		}
	}
}

// skipPoison takes the messages at the head of a queue that outlives the link one by one and
// without acknowledgement, so that the one that breaks the connection is lost with it. That can
// only be one of those that were on their way to the link.
func (s *session) skipPoison(cs *consumerState, queue string) error {
	ch, err := s.consuming.Channel()
	if err != nil {
		return err
	}
	defer ch.Close()
	cs.redelivered.begin()
	cs.reportPendingGap() // of a message that was skipped before
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
			s.link.log.Error("skipped a message that the broker cannot deliver", "queue", queue)
			s.link.skippedPoison = true
		}
		cs.noteLoss()
		return err
	}
	cs.brokerFailures, cs.probing = 0, false
	return nil
}

// resetAfterSkip resets the pause if the last session skipped a message: a sender of one poison
// message a second must not hold up all others.
func (l *Link) resetAfterSkip(pause *backoff) {
	if l.skippedPoison {
		pause.reset()
	}
	l.skippedPoison = false
}

// noteLoss records that a message that the broker had kept until now may have been lost in
// transit.
func (cs *consumerState) noteLoss() { cs.noteLossSince(cs.completeUntil) }

// noteLossSince records that a message sent after the given time was lost.
func (cs *consumerState) noteLossSince(from time.Time) {
	cs.gap, cs.gapAfter = &Gap{From: cs.gapStart(from), To: time.Now()}, 0
}

// currentPrefetch returns how many deliveries of a queue may be unacknowledged.
func (cs *consumerState) currentPrefetch() int {
	if cs.probing {
		return 1
	}
	return cs.prefetch
}

// endProbing ends a session that takes messages one by one, once it has passed every message that was
// on its way when the last session ended.
func (c *consumer) endProbing(last uint64) error {
	if c.state.probing && last > 2*uint64(c.state.prefetch) {
		c.state.brokerFailures, c.state.probing = 0, false
		return fmt.Errorf("the message in the %s over which the broker failed does not come again", c.state.describe())
	}
	return nil
}
