package amqpx

import (
	"cmp"
	"context"
	"strconv"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"
)

// ExchangeOptions are the properties of the link's exchange. The zero value is a topic
// exchange that is not durable and is deleted with its last binding; a link to an exchange
// that exists with other properties fails with [ExchangeDiffers].
type ExchangeOptions struct {
	// Type is "topic" or "fanout"; "" is "topic".
	Type string
	// Passive uses an exchange that exists, whatever its type and flags. It is declared only
	// if it is missing.
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

// declare makes the exchange and queues, and starts consuming. Each queue has a
// channel of its own: a multiple-ack speaks for its whole channel.
func (s *session) declare(ctx context.Context) error {
	if len(s.link.intakes) == 0 {
		return s.declareAlone()
	}
	for i, in := range s.link.intakes {
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
		case in.queue.Stream != nil:
			err = s.openStream(ctx, ch, in)
		case in.queue.Expires > 0:
			err = s.openKept(ctx, ch, in)
		default:
			err = s.openExclusive(ctx, ch, in)
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

// openExclusive makes a queue that dies with the connection.
func (s *session) openExclusive(ctx context.Context, ch *amqp.Channel, in *intake) error {
	if err := s.holdName(ctx, in); err != nil {
		return err
	}
	if in.served {
		// With the queue of the last session went perhaps its last binding, and with that
		// the exchange.
		if err := s.declareExchange(ch); err != nil {
			return err
		}
	}
	if in.name != in.holding.queue {
		in.remains = append(in.remains, in.name)
		in.name = in.holding.queue
	}
	if err := s.watchDrops(ctx, in, in.name, nil); err != nil {
		return err
	}
	if err := s.tie(in); err != nil {
		return err
	}
	if err := s.openGate(in); err != nil {
		return err
	}
	if err := s.bind(ch, in, "queue", in.name); err != nil {
		return err
	}
	// The exchange goes with its last binding, so it has the new one first.
	if err := s.removeRemains(in); err != nil {
		return err
	}
	if in.served {
		// The tie may have gone in that moment, or long before: with the last queue the
		// exchange goes, too.
		in.backdate()
		in.lost(0)
	}
	return s.consume(ch, in, in.name, true, nil)
}

// bindingSpreads is how long the other nodes of a cluster may take to route by a binding that
// the broker has confirmed: with Khepri they hear of it one by one. It took them 1 ms while
// a node was restarted under 1,000 messages a second.
const bindingSpreads = 100 * time.Millisecond

// bind makes the bindings, which a queue that lives on has already.
func (s *session) bind(ch *amqp.Channel, in *intake, what, name string) error {
	var slowest time.Duration
	in.bound = time.Now()
	for _, pattern := range in.queue.Bindings {
		asked := in.bound
		if err := s.bindPattern(ch, in, pattern); err != nil {
			return topology(what, name, err)
		}
		in.bound = time.Now()
		slowest = max(slowest, in.bound.Sub(asked))
	}
	if in.spreads = 0; s.consuming.mayHaveKhepri() {
		in.spreads = bindingSpreads
	}
	in.late = inFlight + min(slowest, time.Second)
	return nil
}

// consume starts the deliveries; what they are is in.queue's business.
func (s *session) consume(ch *amqp.Channel, in *intake, name string, exclusive bool, args amqp.Table) error {
	if err := ch.Qos(in.pace(), 0, false); err != nil {
		return err
	}
	s.watch(s.consuming, ch.NotifyClose(make(chan *amqp.Error, 1)), "the channel of "+in.what())
	cancelled := ch.NotifyCancel(make(chan string, 1))
	const autoAck, noLocal, noWait = false, false, false
	tag := "replies" // one a channel
	if n := len(s.consumers); n > 0 {
		tag += strconv.Itoa(n + 1)
	}
	box := s.consuming.mender.register(tag, ch)
	deliveries, err := ch.Consume(name, tag, autoAck, exclusive, noLocal, noWait, args)
	if err != nil {
		what := "queue"
		if in.queue.Stream != nil {
			what = "stream"
		}
		return topology(what, name, err)
	}
	s.consumed = time.Now()
	c := &consumer{
		intake:     in,
		session:    s,
		channel:    ch,
		tag:        tag,
		inbox:      box,
		deliveries: deliveries,
		cancelled:  cancelled,
		batch:      max(1, in.pace()/4),
		ended:      make(chan struct{}),
	}
	takeNow := c.takeNow
	box.takeNow.Store(&takeNow)
	s.consumers = append(s.consumers, c)
	return nil
}

// topology says on what the broker refused a request; nil stays nil.
func topology(what, name string, err error) error {
	if err == nil {
		return nil
	}
	return &topologyError{what: what, name: name, err: err}
}
