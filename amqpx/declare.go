package amqpx

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"strconv"
	"strings"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"
)

// ExchangeOptions are the properties of the link's exchange. The zero value is a topic
// exchange that is not durable and is deleted with its last binding; a link to an exchange
// that exists with other properties fails with [ExchangeDiffers].
type ExchangeOptions struct {
	// Type is "topic", "fanout" or "direct"; "" is "topic".
	Type string
	// Passive uses an existing exchange, whatever its type and flags. It is declared only if
	// it is missing.
	Passive bool
	// Persistent keeps a declared exchange after its last binding is gone.
	Persistent bool
}

func (o ExchangeOptions) kind() string { return cmp.Or(o.Type, amqp.ExchangeTopic) }

// describe lists the properties for an error message.
func (o ExchangeOptions) describe() string {
	if o.Persistent {
		return o.kind() + ", not durable, not auto-delete"
	}
	return o.kind() + ", not durable, auto-delete"
}

// declare declares the exchange and the queues, and starts consuming. Each queue has its own
// channel, because a multiple-ack applies to a whole channel.
func (s *session) declare(ctx context.Context) error {
	if len(s.link.consumerStates) == 0 {
		return s.declareAlone()
	}
	for i, cs := range s.link.consumerStates {
		ch, err := s.consuming.Channel()
		if err != nil {
			return err
		}
		if i == 0 {
			if err := s.declareExchange(ch); err != nil {
				return err
			}
		}
		switch {
		case cs.queue.Stream != nil:
			err = s.openStream(ctx, ch, cs)
		case cs.queue.Expires > 0:
			err = s.openKept(ctx, ch, cs)
		default:
			err = s.openExclusive(ctx, ch, cs)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (s *session) declareExchange(ch *amqp.Channel) error {
	name, options := s.link.cfg.Exchange, s.link.cfg.ExchangeOptions
	if options.Passive {
		exists, err := s.found(s.askForExchange)
		if exists || err != nil {
			return topology("exchange", name, err)
		}
	}
	const durable, internal, noWait = false, false, false
	return topology("exchange", name, ch.ExchangeDeclare(name, options.kind(), durable, !options.Persistent, internal, noWait, nil))
}

// askForExchange returns an error if the exchange does not exist.
func (s *session) askForExchange(ch *amqp.Channel) error {
	cfg := s.link.cfg
	return ch.ExchangeDeclarePassive(cfg.Exchange, cfg.ExchangeOptions.kind(), false, false, false, false, nil)
}

// declareAlone declares the exchange of a link that consumes nothing.
func (s *session) declareAlone() error {
	ch, err := s.consuming.Channel()
	if err != nil {
		return err
	}
	if err := s.declareExchange(ch); err != nil {
		return err
	}
	return ch.Close()
}

// openExclusive declares and consumes a queue that dies with the connection.
func (s *session) openExclusive(ctx context.Context, ch *amqp.Channel, cs *consumerState) error {
	if err := s.claimName(ctx, cs); err != nil {
		return err
	}
	if cs.served {
		// With the queue of the last session, the exchange may have lost its last binding and
		// been deleted.
		if err := s.declareExchange(ch); err != nil {
			return err
		}
	}
	if cs.exclusiveName != cs.claim.queue {
		cs.formerNames = append(cs.formerNames, cs.exclusiveName)
		cs.exclusiveName = cs.claim.queue
	}
	if err := s.openDeadLetters(ctx, cs, cs.exclusiveName, nil, false); err != nil {
		return err
	}
	if err := s.openSentinel(cs); err != nil {
		return err
	}
	if err := s.removeOlderSentinels(cs); err != nil {
		return err
	}
	if err := s.openGate(cs); err != nil {
		return err
	}
	if err := s.bind(ch, cs, "queue", cs.exclusiveName); err != nil {
		return err
	}
	// The exchange is deleted with its last binding, so the new binding is made first.
	if err := s.removeFormerSentinels(cs); err != nil {
		return err
	}
	if cs.served {
		// The sentinel may have been deleted just now or long before: the exchange may also be
		// deleted with its last queue.
		cs.backdate()
		cs.noteOutage(0)
	}
	return s.consume(ch, cs, cs.exclusiveName, true, nil)
}

// khepriBindingLag is how long the other nodes of a cluster may take to route by a binding that
// the broker has confirmed: with Khepri, it reaches them one by one. They took 1 ms while a node
// was restarted under 1,000 messages a second.
const khepriBindingLag = 100 * time.Millisecond

// bind makes the bindings. A queue that outlives the link may already have some of them.
func (s *session) bind(ch *amqp.Channel, cs *consumerState, what, name string) error {
	var slowest time.Duration
	cs.boundAt = time.Now()
	for _, pattern := range cs.queue.Bindings {
		asked := cs.boundAt
		if err := s.bindPattern(ch, cs, pattern); err != nil {
			return topology(what, name, err)
		}
		cs.boundAt = time.Now()
		slowest = max(slowest, cs.boundAt.Sub(asked))
	}
	if cs.bindingLag = 0; s.consuming.mayHaveKhepri() {
		cs.bindingLag = khepriBindingLag
	}
	cs.latency = transitTime + min(slowest, time.Second)
	return nil
}

// consume starts the deliveries.
func (s *session) consume(ch *amqp.Channel, cs *consumerState, name string, exclusive bool, args amqp.Table) error {
	if err := ch.Qos(cs.currentPrefetch(), 0, false); err != nil {
		return err
	}
	s.watch(s.consuming, ch.NotifyClose(make(chan *amqp.Error, 1)), "the channel of "+cs.describe())
	cancelled := ch.NotifyCancel(make(chan string, 1))
	const autoAck, noLocal, noWait = false, false, false
	tag := "replies" // one for each channel
	if n := len(s.consumers); n > 0 {
		tag += strconv.Itoa(n + 1)
	}
	box := s.consuming.interceptor.register(tag, ch)
	deliveries, err := ch.Consume(name, tag, autoAck, exclusive, noLocal, noWait, args)
	if err != nil {
		what := "queue"
		if cs.queue.Stream != nil {
			what = "stream"
		}
		return topology(what, name, err)
	}
	s.consumed = time.Now()
	c := &consumer{
		state:      cs,
		session:    s,
		channel:    ch,
		tag:        tag,
		inbox:      box,
		deliveries: deliveries,
		cancelled:  cancelled,
		batch:      max(1, cs.currentPrefetch()/4),
		ended:      make(chan struct{}),
	}
	takeNow := c.tryDeliver
	box.tryDeliver.Store(&takeNow)
	s.consumers = append(s.consumers, c)
	return nil
}

// topology wraps an error with the exchange or queue that the broker refused; nil stays nil.
func topology(what, name string, err error) error {
	if err == nil {
		return nil
	}
	return &topologyError{what: what, name: name, err: err}
}

// exists reports whether there is a queue or stream of that name. It publishes a marker to it,
// which comes back if there is none. Only if the broker accepts no marker is the queue declared
// passively, because that writes an error into RabbitMQ's log if the queue is missing. In a queue
// whose length a policy limits, the marker displaces a message as any other message does, and
// this is reported like other removals (deadletters.go).
func (s *session) exists(ctx context.Context, queue string) (bool, error) {
	returned, err := s.markReturned(ctx, queue, amqp.Publishing{Type: placeType, MessageId: placeType}, markerTimeout)
	if !errors.Is(err, errNoMarker) {
		return !returned, err
	}
	return s.found(func(ch *amqp.Channel) error {
		_, err := ch.QueueDeclarePassive(queue, false, false, false, false, nil)
		if isThere(err) {
			return nil
		}
		return err
	})
}

// isThere reports whether the broker says that it does not find a queue which it has. RabbitMQ does so while the queue cannot
// be used, with one of these reasons.
func isThere(err error) bool {
	e, ok := errors.AsType[*amqp.Error](err)
	return ok && refusedWith(err, amqp.NotFound) && slices.ContainsFunc([]string{
		"is down or inaccessible", "process is stopped", "has crashed", "due to timeout",
	}, func(why string) bool { return strings.Contains(e.Reason, why) })
}

// found asks on a separate channel, which the broker closes if the answer is no.
func (s *session) found(ask func(*amqp.Channel) error) (bool, error) {
	ch, err := s.consuming.Channel()
	if err != nil {
		return false, err
	}
	defer ch.Close()
	err = ask(ch)
	if refusedWith(err, amqp.NotFound) {
		return false, nil
	}
	return err == nil, err
}
