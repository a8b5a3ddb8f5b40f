package amqpx

import (
	"context"
	"errors"
	"maps"
	"strings"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"
)

// A queue that outlives its link is two queues. An exclusive queue holds the name and is always
// empty: it keeps a second link of the same name away. The kept queue holds the messages. It is
// a quorum queue: RabbitMQ's quorum queues keep transient messages over a restart, and get
// another leader when a node fails. But they have no exclusive consumers, so without the
// exclusive queue two links would share the messages.

func keptOf(queue string) string { return queue + "_kept" }

// deliveryLimit is how often a message may be redelivered. From RabbitMQ 4 on, a quorum queue
// drops a message after twenty deliveries by default, which good messages would reach on a
// link that breaks again and again.
const deliveryLimit = 1_000_000

// handoverPatience is how long a link waits for the broker to drop the consumer of the last
// connection, whose messages then come first and in order.
const handoverPatience = time.Second

// openKept declares and consumes a queue that outlives the connection.
func (s *session) openKept(ctx context.Context, ch *amqp.Channel, cs *consumerState) error {
	older, err := s.claimKeptName(ctx, cs)
	if err != nil {
		return err
	}
	name := cs.queueName()
	existed := cs.served
	if !existed {
		if existed, err = s.exists(ctx, name); err != nil {
			return topology("queue", name, err)
		}
	}
	if cs.probing {
		if err := s.skipPoison(cs, name); err != nil {
			return err
		}
	}
	kept, err := s.declareKept(cs)
	if err == nil {
		kept, err = s.awaitHandover(ctx, ch, cs, kept)
	}
	if err != nil {
		return err
	}
	cs.redelivered.otherConsumer, cs.waiting = kept.Consumers > 0, kept.Messages
	if err := s.consumeKept(ch, cs); err != nil {
		return err
	}
	if err := s.openDeadLetters(ctx, cs, name, cs.keptArguments(cs.queue.Expires), existed); err != nil {
		return err
	}
	if err := s.bindKept(ch, cs, existed, kept.Messages); err != nil {
		return err
	}
	if existed && kept.Consumers > 0 {
		s.link.log.Warn("the broker has not noticed yet that the last connection broke: messages that it sent there come too late, or not at all", "queue", name)
		cs.noteOutage(0)
	}
	if older {
		return s.migrateLegacy(ctx, cs)
	}
	return nil
}

// declareKept declares the queue. If the broker has no quorum queues, it is a classic one, which
// loses transient messages when the broker is restarted. The restart sentinel shows such a loss,
// because it is lost with the messages wherever exchanges are kept in Mnesia. RabbitMQ with
// Khepri always has quorum queues.
func (s *session) declareKept(cs *consumerState) (kept amqp.Queue, err error) {
	declare := func(more amqp.Table) error {
		args := cs.keptArguments(cs.queue.Expires + keptOutlives)
		maps.Copy(args, more)
		kept, err = s.declareAside(cs.queueName(), true, args)
		return err
	}
	cs.classic = false
	err = s.declareDeadLettering(cs, cs.queueName(), declare)
	if cs.classic = noQuorumQueues(err); cs.classic {
		err = s.declareDeadLettering(cs, cs.queueName(), declare)
	}
	return kept, err
}

// keptArguments returns the arguments of a queue that expires after the given time.
func (cs *consumerState) keptArguments(expires time.Duration) amqp.Table {
	args := amqp.Table{amqp.QueueTTLArg: min(expires, maxExpires).Milliseconds()}
	if !cs.classic {
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
		strings.Contains(e.Reason, "feature flag is disabled") // an upgraded RabbitMQ 3.8
}

// awaitHandover waits until the queue has no consumer. The link holds the name, so the consumer
// belongs to an earlier connection that the broker is about to drop. The link does not wait for a
// connection that the broker believes alive and that still holds the name: that would get the
// messages meanwhile.
func (s *session) awaitHandover(ctx context.Context, ch *amqp.Channel, cs *consumerState, kept amqp.Queue) (amqp.Queue, error) {
	if cs.classic || cs.claim.queue != cs.queue.Name {
		return kept, nil // the consumer of a classic queue is exclusive
	}
	const retry = 20 * time.Millisecond
	const durable, autoDelete, exclusive, noWait = true, false, false, false
	for began := time.Now(); kept.Consumers > 0 && time.Since(began) < handoverPatience; {
		wait(ctx, retry)
		if ctx.Err() != nil {
			return kept, ctx.Err()
		}
		var err error
		if kept, err = ch.QueueDeclarePassive(cs.queueName(), durable, autoDelete, exclusive, noWait, nil); err != nil {
			return kept, topology("queue", cs.queueName(), err)
		}
	}
	return kept, nil
}

// consumeKept starts the deliveries. The consumer of an earlier connection that the broker still
// believes alive has a lower priority, and gets nothing more while this one keeps up.
func (s *session) consumeKept(ch *amqp.Channel, cs *consumerState) error {
	if cs.classic {
		return s.consume(ch, cs, cs.queueName(), true, nil)
	}
	cs.priority = max(cs.priority+1, time.Now().UnixMilli())
	return s.consume(ch, cs, cs.queueName(), false, amqp.Table{"x-priority": cs.priority})
}

// bindKept makes the bindings. If they were lost, messages are missing after those that wait in
// the queue.
func (s *session) bindKept(ch *amqp.Channel, cs *consumerState, existed bool, waiting int) error {
	name := cs.queueName()
	intact, restart, gate := false, false, false
	var err error
	if existed {
		intact, restart, err = s.bindingsIntact(ch, cs)
	}
	if err == nil && restart {
		gate, err = s.gateStands(cs)
	}
	if err == nil && !(intact && gate) {
		intact, err = s.renewSentinels(ch, cs, restart, gate)
	}
	if err == nil {
		err = s.openGate(cs)
	}
	if err == nil {
		err = s.bind(ch, cs, "queue", name)
	}
	switch {
	case err != nil:
	case cs.hasGate && existed:
		err = s.unbindDirectly(ch, cs)
	case !cs.hasGate && cs.gateLeft:
		err = s.removeGate(cs) // else it would look like one that was deleted
	}
	if err != nil || intact {
		return err
	}
	if existed {
		cs.noteOutage(waiting)
	}
	return makeRestartSentinel(ch, name)
}

// cleanKept removes the headers that a quorum queue adds to redelivered messages.
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

// Earlier versions kept messages in a classic queue that itself has the name. A link that finds
// one delivers its messages first, and then replaces it. Messages published between the two
// bindings may be lost, which is reported as a gap.

// claimKeptName claims the name of a kept queue. older means that an earlier version's queue,
// without a consumer, has it.
func (s *session) claimKeptName(ctx context.Context, cs *consumerState) (older bool, err error) {
	taken := s.claimName(ctx, cs)
	if !refusedWith(taken, amqp.ResourceLocked) && !refusedWith(taken, amqp.PreconditionFailed) {
		return false, taken
	}
	ch, err := s.consuming.Channel()
	if err != nil {
		return false, err
	}
	defer ch.Close()
	const durable, autoDelete, exclusive, noWait = true, false, false, false
	q, err := ch.QueueDeclarePassive(cs.queue.Name, durable, autoDelete, exclusive, noWait, nil)
	if err != nil && !fromBroker(err) {
		return false, err
	}
	if err != nil || q.Consumers > 0 {
		return false, taken // another connection has it
	}
	for _, pattern := range cs.queue.Bindings {
		if err := ch.QueueUnbind(cs.queue.Name, pattern, s.link.cfg.Exchange, nil); err != nil {
			return false, topology("queue", cs.queue.Name, err)
		}
	}
	// These may have been the last bindings of the exchange, with which it was deleted.
	if err := s.declareExchange(ch); err != nil {
		return false, err
	}
	return true, nil
}

// migrateLegacy delivers the messages of an earlier version's queue and replaces it with the
// exclusive one. The kept queue is already bound.
func (s *session) migrateLegacy(ctx context.Context, cs *consumerState) error {
	ch, err := s.consuming.Channel()
	if err != nil {
		return err
	}
	cs.noteOutage(0)
	name, taken := cs.queue.Name, 0
	for {
		const autoAck = true // the gap covers what is lost with the connection
		d, ok, err := ch.Get(name, autoAck)
		if err != nil {
			return topology("queue", name, err)
		}
		if !ok {
			break
		}
		if !isMarker(&d, name) {
			cs.deliver(&d)
			taken++
		}
	}
	s.link.log.Info("replaced the queue of an earlier version", "queue", name, "kept", cs.queueName(), "messages", taken)
	const ifUnused, ifEmpty, noWait = true, true, false
	if _, err := ch.QueueDelete(name, ifUnused, ifEmpty, noWait); err != nil {
		return topology("queue", name, err)
	}
	if err := s.claimName(ctx, cs); err != nil {
		return err
	}
	// An error means that the user may not delete the queue's sentinel, which is unused now.
	_ = ch.ExchangeDelete(olderSentinelOf(name), false, noWait)
	return ch.Close()
}
