package amqpx

import (
	"context"
	"errors"
	"maps"
	"strings"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"
)

// A queue that outlives its link is two queues. The one that bears the name is exclusive
// and always empty: it keeps a second link of this name away. The kept queue beside it
// holds the messages. It is a quorum queue: those of RabbitMQ keep transient messages over
// a restart, and have another leader when the node that held them is gone; but they know
// no exclusive consumers, so that two links would share what comes.

func keptOf(queue string) string { return queue + "_kept" }

// deliveryLimit is how often a message may come again. From RabbitMQ 4 on a quorum queue
// drops one that was delivered twenty times, which links that break do to the best.
const deliveryLimit = 1_000_000

// handoverPatience is how long a link waits until the broker has done with the consumer
// of the last one, whose messages then come first and in order.
const handoverPatience = time.Second

// openKept makes, or finds again, a queue that outlives the connection.
func (s *session) openKept(ctx context.Context, ch *amqp.Channel, in *intake) error {
	older, err := s.holdKeptName(ctx, in)
	if err != nil {
		return err
	}
	name := in.holder()
	existed := in.served
	if !existed {
		if existed, err = s.exists(ctx, name); err != nil {
			return topology("queue", name, err)
		}
	}
	if in.careful {
		if err := s.stepOver(in, name); err != nil {
			return err
		}
	}
	kept, err := s.declareKept(in)
	if err == nil {
		kept, err = s.awaitHandover(ctx, ch, in, kept)
	}
	if err != nil {
		return err
	}
	in.repeats.others = kept.Consumers > 0
	if err := s.consumeKept(ch, in); err != nil {
		return err
	}
	if err := s.watchDrops(ctx, in, name, in.keptArguments(in.queue.Expires)); err != nil {
		return err
	}
	if err := s.bindKept(ch, in, existed, kept.Messages); err != nil {
		return err
	}
	if existed && kept.Consumers > 0 {
		s.link.log.Warn("the broker has not noticed yet that the last connection broke: what it sent there comes too late, or never", "queue", name)
		in.lost(0)
	}
	if older {
		return s.replaceOlder(ctx, in)
	}
	return nil
}

// declareKept declares the queue. If the broker has no quorum queues it is a classic one,
// which loses transient messages when the broker is restarted.
// The sentinels tell that as long as they are lost with them, as they are wherever
// exchanges are kept in Mnesia. RabbitMQ that keeps them in Khepri has quorum queues
// always, and never comes here.
func (s *session) declareKept(in *intake) (kept amqp.Queue, err error) {
	declare := func(more amqp.Table) error {
		args := in.keptArguments(in.queue.Expires + keptOutlives)
		maps.Copy(args, more)
		kept, err = s.declareAside(in.holder(), true, args)
		return err
	}
	in.classic = false
	err = s.declareDropping(in, in.holder(), declare)
	if in.classic = noQuorumQueues(err); in.classic {
		err = s.declareDropping(in, in.holder(), declare)
	}
	return kept, err
}

// keptArguments are those of a queue that is kept for so long.
func (in *intake) keptArguments(expires time.Duration) amqp.Table {
	args := amqp.Table{amqp.QueueTTLArg: min(expires, maxExpires).Milliseconds()}
	if !in.classic {
		args[amqp.QueueTypeArg] = amqp.QueueTypeQuorum
		args["x-delivery-limit"] = int64(deliveryLimit)
	}
	return args
}

// noQuorumQueues reports whether the broker refused a queue for its type or arguments.
func noQuorumQueues(err error) bool {
	e, ok := errors.AsType[*amqp.Error](err)
	if !ok || !e.Server {
		return false
	}
	return e.Code == amqp.NotImplemented ||
		e.Code == amqp.PreconditionFailed && strings.Contains(e.Reason, "invalid arg") ||
		strings.Contains(e.Reason, "feature flag is disabled") // RabbitMQ 3.8 that was upgraded
}

// awaitHandover waits until nobody consumes the queue: the name is ours, so who does is an
// earlier connection that the broker is about to give up. One that it has not missed yet,
// and that still holds the name, is not waited for: it would get what comes meanwhile.
func (s *session) awaitHandover(ctx context.Context, ch *amqp.Channel, in *intake, kept amqp.Queue) (amqp.Queue, error) {
	if in.classic || in.holding.queue != in.queue.Name {
		return kept, nil // of a classic queue the consumer is exclusive
	}
	const retry = 20 * time.Millisecond
	const durable, autoDelete, exclusive, noWait = true, false, false, false
	for began := time.Now(); kept.Consumers > 0 && time.Since(began) < handoverPatience; {
		wait(ctx, retry)
		if ctx.Err() != nil {
			return kept, ctx.Err()
		}
		var err error
		if kept, err = ch.QueueDeclarePassive(in.holder(), durable, autoDelete, exclusive, noWait, nil); err != nil {
			return kept, topology("queue", in.holder(), err)
		}
	}
	return kept, nil
}

// consumeKept starts the deliveries. An earlier consumer, of a connection that the broker
// still takes for alive, has a lower priority and gets nothing more while this one keeps pace.
func (s *session) consumeKept(ch *amqp.Channel, in *intake) error {
	if in.classic {
		return s.consume(ch, in, in.holder(), true, nil)
	}
	in.priority = max(in.priority+1, time.Now().UnixMilli())
	return s.consume(ch, in, in.holder(), false, amqp.Table{"x-priority": in.priority})
}

// bindKept makes the bindings. If they had gone, messages are missing behind those that
// wait in the queue.
func (s *session) bindKept(ch *amqp.Channel, in *intake, existed bool, waiting int) error {
	name := in.holder()
	stood, witnessed, gate := false, false, false
	var err error
	if existed {
		stood, witnessed, err = s.standing(in)
	}
	if err == nil && witnessed {
		gate, err = s.gateStands(in)
	}
	if err == nil && !(stood && gate) {
		stood, err = s.renew(ch, in, witnessed, gate)
	}
	if err == nil {
		err = s.openGate(in)
	}
	if err == nil {
		err = s.bind(ch, in, "queue", name)
	}
	switch {
	case err != nil:
	case in.gated && existed:
		err = s.unbindDirectly(ch, in)
	case !in.gated && in.gateLeft:
		err = s.removeGate(in) // it would be taken for one that went
	}
	if err != nil || stood {
		return err
	}
	if existed {
		in.lost(waiting)
	}
	return bearWitness(ch, name)
}

// cleanKept removes the headers that a quorum queue adds to what comes again.
func cleanKept(d *amqp.Delivery) {
	if !d.Redelivered {
		return
	}
	delete(d.Headers, "x-delivery-count")
	delete(d.Headers, "x-acquired-count") // RabbitMQ 4.3
	if len(d.Headers) == 0 {
		d.Headers = nil
	}
}
