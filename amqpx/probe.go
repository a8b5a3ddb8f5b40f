package amqpx

import (
	"fmt"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"
)

// A link can be up and a queue bound while nothing gets through: a stream or a quorum queue has no
// leader, a policy makes the queue refuse messages, or the broker has forgotten the consumer. The
// consumer is notified of none of this. So a queue that has delivered nothing for a while is
// probed: a message is published to it through the default exchange, and must be confirmed and then
// delivered.
//
//   - If it is not confirmed, [State.QueueDown] says so until a later probe is delivered. The link
//     stays up, because publishing may well work.
//   - If it is confirmed and not delivered, the session ends, and the next one consumes again.
//
// A probe is a marker (marker.go), which every reader of a stream drops. All readers receive it, so
// one probe serves them all.

// probeTicks is how many ticks Config.ProbeAfter is divided into.
const probeTicks = 10

// streamSilence is how many times longer a stream may be silent, because a probe stays in it and
// counts as a message of the backlog.
const streamSilence = 3

// noProbesFor is how long a link stops probing after the broker has refused a probe: the broker
// logs each refusal. A refusal that cost the connection may have been temporary.
const (
	noProbesFor        = 10 * time.Minute
	noProbesAfterBreak = time.Minute
)

// maxReturns is more than the number of probes that can be in flight on one channel: the library
// stalls if nothing takes returned messages.
const maxReturns = 64

// prober probes the queue of one consumer. It belongs to a goroutine of the session.
type prober struct {
	session  *session
	all      []*prober // of the session
	consumer *consumer
	watch    probeWatch
	channel  *amqp.Channel // confirming; nil until it is needed, and after it was closed
	closed   chan *amqp.Error
	returns  chan amqp.Return
	confirm  *amqp.DeferredConfirmation // of the last probe; nil without one
	returned bool                       // the last probe came back

	// down is why the queue takes no messages, or "". Link.mu guards it.
	down string
}

func newProber(s *session, c *consumer) *prober {
	silence := probeTicks
	if c.state.queue.Stream != nil {
		silence *= streamSilence
	}
	p := &prober{session: s, consumer: c, watch: probeWatch{limits: probeLimits{
		// Spread out, so that the readers of a stream do not all probe it at the same moment.
		silence:  silence + int(s.link.cfg.Jitter(time.Duration(silence/5+1))),
		confirm:  probeTicks / 2,
		delivery: probeTicks,
		retry:    probeTicks / 5,
		resend:   probeTicks * 6,
	}}}
	if c.state.queueDown.Load() {
		p.watch.ticks, p.watch.down = p.watch.limits.silence, true
	}
	return p
}

// startProbing probes all queues until done is closed.
func (s *session) startProbing(done <-chan struct{}) {
	if s.link.cfg.ProbeAfter < 0 {
		return
	}
	var all []*prober
	for _, c := range s.consumers {
		all = append(all, newProber(s, c))
	}
	for _, p := range all {
		p.all = all
		s.tasks.Go(func() { p.run(done) })
	}
}

func (p *prober) run(done <-chan struct{}) {
	tick := time.NewTicker(p.session.link.cfg.ProbeAfter / probeTicks)
	defer tick.Stop()
	for {
		select {
		case <-done:
			return
		case <-tick.C:
		}
		if p.session.link.State().Blocked != "" {
			p.watch.rest()
			continue
		}
		if !p.step() {
			return
		}
	}
}

// step takes one step of the watch, and reports whether the session goes on.
func (p *prober) step() bool {
	cs, link := p.consumer.state, p.session.link
	fate, why := p.fate()
	switch p.watch.tick(p.consumer.progress.Load(), fate) {
	case probeSend:
		if !link.mayProbe() || p.send() != nil {
			p.watch.enter(listening)
		}
	case probeDown:
		if fate == probePending {
			why = p.unconfirmed()
		}
		reason := fmt.Sprintf("the broker takes no messages into the %s: %s", cs.describe(), why)
		if !cs.queueDown.Load() {
			link.log.Warn("a queue takes no messages; the link stays up", "reason", reason)
		}
		cs.queueDown.Store(true)
		p.note(reason)
	case probeRecovered:
		link.log.Info("the queue takes messages again", "queue", cs.queueName())
		cs.queueDown.Store(false)
		p.note("")
	case probeLost:
		p.session.fail(&undeliveredError{cs.describe()})
		return false
	}
	return true
}

func (p *prober) unconfirmed() string {
	limit := p.session.link.cfg.ProbeAfter / probeTicks * time.Duration(p.watch.limits.confirm)
	return fmt.Sprintf("no confirm within %v; if it is replicated, see whether it has a leader and most of its nodes run", limit)
}

// undeliveredError ends a session whose consumer gets nothing.
type undeliveredError struct{ what string }

func (e *undeliveredError) Error() string {
	return fmt.Sprintf("a message in the %s was not delivered: the broker no longer serves its consumer, or its connection stalls", e.what)
}

// fate returns what happened to the last probe and, if it was rejected, why.
func (p *prober) fate() (probeFate, string) {
	p.drainReturns()
	if p.confirm == nil {
		return probePending, ""
	}
	select {
	case e := <-p.closed:
		return p.refused(e)
	default:
	}
	select {
	case <-p.confirm.Done():
	default:
		return probePending, ""
	}
	if !p.confirm.Acked() && p.channel.IsClosed() {
		return p.refused(<-p.closed)
	}
	acked := p.confirm.Acked()
	p.confirm = nil
	p.drainReturns() // the broker sends a return before its confirm
	switch {
	case p.returned:
		return probeRejected, "it is gone"
	case !acked:
		return probeRejected, "it refuses them (nack): it may be full, by a limit with which it rejects what is published"
	}
	return probeTaken, ""
}

// refused handles the error with which the channel was closed; nil means that the session is
// ending.
func (p *prober) refused(e *amqp.Error) (probeFate, string) {
	p.channel, p.confirm = nil, nil
	if e == nil || !e.Server || e.Code == amqp.ConnectionForced {
		return probePending, ""
	}
	// The next probe would end the same way, in this session or the next one.
	p.session.link.noteProbesRefused(e, p.consumer.state.queueName())
	p.watch.enter(listening)
	p.watch.down = false // it is unknown now
	p.consumer.state.queueDown.Store(false)
	p.note("")
	return probePending, ""
}

// drainReturns records whether a probe came back. Other markers may be returned on the same
// channel.
func (p *prober) drainReturns() {
	for {
		select {
		case r, ok := <-p.returns:
			if !ok {
				return
			}
			p.returned = p.returned || r.RoutingKey == p.consumer.state.queueName()
		default:
			return
		}
	}
}

// send publishes a probe. All probes of a session use one channel: the broker repeats what is
// unconfirmed there to a new leader of the queue. On a new channel RabbitMQ would first look for
// the leader of a stream, and close the connection if there is none.
func (p *prober) send() error {
	if p.channel == nil || p.channel.IsClosed() {
		if err := p.open(); err != nil {
			return err
		}
	}
	p.drainReturns()
	p.returned = false
	name := p.consumer.state.queueName()
	const mandatory, immediate = true, false
	var err error
	p.confirm, err = p.channel.PublishWithDeferredConfirm("", name, mandatory, immediate, amqp.Publishing{Type: placeType})
	return err
}

// open takes the channel of the markers, on which the stream is known already, or opens a new one.
func (p *prober) open() (err error) {
	ch := p.session.markers
	if ch == nil || ch.IsClosed() {
		if ch, err = p.session.publishing.Channel(); err != nil {
			return err
		}
		if err := ch.Confirm(false); err != nil {
			return err
		}
	}
	p.closed = ch.NotifyClose(make(chan *amqp.Error, 1))
	p.returns = ch.NotifyReturn(make(chan amqp.Return, maxReturns))
	p.channel = ch
	return nil
}

// isProbe reports whether the delivery is a probe of the queue of that name.
func isProbe(d *amqp.Delivery, queue string) bool {
	return d.Exchange == "" && d.Type == placeType && d.RoutingKey == queue
}

// received notes a delivery. A probe shows that the queue is served, but not that it is bound.
func (cs *consumerState) received(d *amqp.Delivery) {
	before := cs.loss.routedAfter
	cs.loss.received(d.DeliveryTag)
	if isProbe(d, cs.queueName()) {
		cs.loss.routedAfter = before
	}
}

// note sets why the queue takes no messages, or "" if it does, and announces the change.
func (p *prober) note(reason string) {
	l := p.session.link
	l.mu.Lock()
	changed := p.down != reason
	p.down = reason
	l.mu.Unlock()
	if !changed {
		return
	}
	l.change(func(s *State) {
		s.QueueDown = ""
		for _, p := range p.all {
			if s.QueueDown == "" {
				s.QueueDown = p.down
			}
		}
	})
}

// mayProbe reports whether the link may probe: the broker has not refused a probe lately.
func (l *Link) mayProbe() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return time.Now().After(l.noProbesUntil)
}

// noteProbesRefused stops the probing for a while after the broker has refused a probe. This is
// logged once, unless the refusal cost the connection, which is logged itself.
func (l *Link) noteProbesRefused(e *amqp.Error, queue string) {
	pause := noProbesFor
	if !e.Recover {
		pause = noProbesAfterBreak
	}
	l.mu.Lock()
	report := e.Recover && !l.loggedNoProbes
	l.loggedNoProbes = l.loggedNoProbes || report
	l.noProbesUntil = time.Now().Add(pause)
	l.mu.Unlock()
	if !report {
		return
	}
	advice := "none: this broker does not let a message reach a queue by its name"
	if e.Code == amqp.AccessRefused {
		advice = "let the user write to amq.default"
	}
	l.log.Info("the broker refuses probes: a queue that takes no messages goes unnoticed", "queue", queue, "advice", advice, "error", withoutPermission(e, l.cfg.Exchange))
}
