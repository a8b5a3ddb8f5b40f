package bridge

import (
	"errors"

	"github.com/clu-ws/clu-ws/amqpx"
)

// newLink makes the link to the actors' exchange.
func (b *Bridge) newLink() (err error) {
	cfg := b.linkConfig(b.cfg.Exchange, amqpx.ExchangeOptions{}, b.repliesQueue())
	cfg.CheckQueues, cfg.FailFast, cfg.OnState = b.cfg.CheckConsumers, b.cfg.FailFast, b.linkChanged
	b.link, err = amqpx.New(cfg)
	return err
}

// linkConfig returns the configuration of a link to an exchange.
func (b *Bridge) linkConfig(exchange string, options amqpx.ExchangeOptions, queues ...amqpx.Queue) amqpx.Config {
	return amqpx.Config{
		URLs:            b.cfg.Broker,
		TLS:             b.cfg.TLS,
		Name:            b.cfg.Name,
		Exchange:        exchange,
		ExchangeOptions: options,
		Queues:          queues,
		PublishTimeout:  b.cfg.within,
		Dial:            b.cfg.Dial,
		ProbeAfter:      b.cfg.ProbeAfter,
		Logger:          b.cfg.Logger,
	}
}

// linkChanged is called by the link at every change of its state. It must not wait for the hub.
func (b *Bridge) linkChanged(state amqpx.State) {
	b.metrics.countLink(state)
	b.warnOfDenied(state.Err)
	if !state.Up {
		b.pendingReturns.linkLost()
		b.models.Unwatched()
	}
	b.problems.SetLinked(state.Up && state.QueueDown == "")
	b.hub.Do(b.reportLink)
	if b.cfg.OnLink != nil {
		b.cfg.OnLink(state)
	}
}

// missed is called by the link for a span of time in which replies may have been lost. A gap in
// a stream's past was logged and counted when it happened.
func (b *Bridge) missed(gap amqpx.Gap) {
	switch {
	case gap.Replayed:
		b.log.Debug("the stream's past has a gap", "from", gap.From, "to", gap.To)
	case gap.From.IsZero():
		b.log.Warn("replies may have been lost before the link stood", "until", gap.To)
		b.metrics.gaps.Inc()
	default:
		b.log.Warn("replies may have been lost", "from", gap.From, "to", gap.To, "seconds", gap.To.Sub(gap.From).Seconds())
		b.metrics.gapSeconds.Add(gap.To.Sub(gap.From).Seconds())
		b.metrics.gaps.Inc()
	}
	b.reportLink()
	b.hub.Missed(gap.From, gap.To)
	if b.keywordHistory != nil {
		b.keywordHistory.Gap(gap.From, gap.To)
	}
}

// brokerWord returns the broker's state in one word.
func brokerWord(s amqpx.State) string {
	switch {
	case !s.Up:
		return "down"
	case s.Blocked != "":
		return "blocked"
	case s.QueueDown != "":
		return "no_replies"
	}
	return "up"
}

// brokerReason returns why the broker is not up, or "".
func brokerReason(s amqpx.State) string {
	switch {
	case !s.Up && s.Err != nil:
		return s.Err.Error()
	case s.Blocked != "":
		return s.Blocked
	}
	return s.QueueDown
}

// reportLink tells the hub the current state of the link.
func (b *Bridge) reportLink() {
	s := b.link.State()
	b.hub.Linked(brokerWord(s), brokerReason(s))
}

// Without a configured name, a bridge has a new random name at every start.

// warnOfName warns of a queue that outlives the bridge but is not found again, because its
// name is random.
func (b *Bridge) warnOfName() {
	if b.randomName && b.cfg.Durable.Expires > 0 {
		b.log.Warn("the bridge has a random name, and keeps its queue under it: after a restart it does not find the replies that were kept; give it a --name", "name", b.cfg.Name)
	}
}

// warnOfDenied warns, once, that a random name can be granted no permissions.
func (b *Bridge) warnOfDenied(err error) {
	m, ok := errors.AsType[*amqpx.Error](err)
	if b.randomName && ok && m.Kind == amqpx.AccessDenied {
		b.warnedName.Do(func() {
			b.log.Warn("the bridge has a random name, another at every start; give it a --name that the user's permissions allow", "name", b.cfg.Name)
		})
	}
}
