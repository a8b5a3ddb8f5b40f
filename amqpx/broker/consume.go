package broker

import (
	"crypto/rand"
	"slices"
)

// consumer takes messages from one queue to one channel. Guarded by Broker.mu.
type consumer struct {
	ch        *channel
	queue     *queue
	tag       string
	noAck     bool
	exclusive bool
	prefetch  int // most unacknowledged deliveries, 0: unlimited
	inFlight  int
}

// basicQos sets how much may be unacknowledged: with global=false for each consumer that follows, with
// global=true for the channel as a whole. That is RabbitMQ's reading of the flag.
func (ch *channel) basicQos(a *args) error {
	size, count, flags := a.u32(), int(a.u16()), a.flags()
	if err := a.end(); err != nil {
		return err
	}
	if size != 0 {
		return errorf(notImplemented, "prefetch_size!=0 (%d)", size)
	}
	ch.c.sendPlain(ch.id, basicQosOk)
	if flags&1 == 0 {
		ch.prefetch = count
		return nil
	}
	ch.shared = count
	ch.pumpAll()
	return nil
}

// basicConsume flags: no-local, no-ack, exclusive, no-wait. No-local has no effect, as in RabbitMQ.
func (ch *channel) basicConsume(a *args) error {
	a.u16()
	queueName, tag, flags, arguments := a.name(), a.name(), a.flags(), a.table()
	if err := a.end(); err != nil {
		return err
	}
	q, err := ch.queue(queueName)
	if err != nil {
		return err
	}
	if tag == "" {
		tag = "amq.ctag-" + rand.Text()
	}
	cs := &consumer{
		ch: ch, queue: q, tag: tag, noAck: flags&2 != 0, exclusive: flags&4 != 0, prefetch: ch.prefetch,
	}
	if err := ch.b.addConsumer(cs, arguments); err != nil {
		return err
	}
	if flags&8 == 0 {
		buf, mark := ch.begin(basicConsumeOk)
		ch.end(appendShort(buf, tag), mark)
	}
	ch.b.pump(q)
	return nil
}

func (b *Broker) addConsumer(cs *consumer, arguments table) error {
	q := cs.queue
	if cs.ch.consumers[cs.tag] != nil {
		return errorf(notAllowed, "attempt to reuse consumer tag '%s'", cs.tag)
	}
	if q.exclusive != nil || (cs.exclusive && len(q.consumers) > 0) {
		return errorf(accessRefused, "queue '%s' in vhost '/' in exclusive use", q.name)
	}
	if err := refuseArguments(arguments, unsupportedByConsumer, "consumer of queue", q.name); err != nil {
		return err
	}
	if b.consumers >= b.cfg.MaxConsumers {
		return errLimit("consumer", b.cfg.MaxConsumers)
	}
	b.consumers++
	cs.ch.consumers[cs.tag] = cs
	q.consumers = append(q.consumers, cs)
	if cs.exclusive {
		q.exclusive = cs
	}
	return nil
}

// removeConsumer ends a consumer. Its unacknowledged deliveries stay with the channel. An auto-delete
// queue goes with its last consumer.
func (b *Broker) removeConsumer(cs *consumer) {
	q := cs.queue
	b.consumers--
	delete(cs.ch.consumers, cs.tag)
	q.consumers = slices.DeleteFunc(q.consumers, func(x *consumer) bool { return x == cs })
	if q.exclusive == cs {
		q.exclusive = nil
	}
	if q.autoDelete && len(q.consumers) == 0 {
		b.deleteQueue(q)
	}
}

// basicCancel ends a consumer. An unknown tag is not an error.
func (ch *channel) basicCancel(a *args) error {
	tag, flags := a.name(), a.flags()
	if err := a.end(); err != nil {
		return err
	}
	if cs := ch.consumers[tag]; cs != nil {
		ch.b.removeConsumer(cs)
	}
	if flags&1 == 0 {
		buf, mark := ch.begin(basicCancelOk)
		ch.end(appendShort(buf, tag), mark)
	}
	return nil
}

// notifyCancelled tells a client that its consumer is gone, if it supports basic.cancel from the broker.
func (cs *consumer) notifyCancelled() {
	if cs.ch.c.released || !cs.ch.c.caps.cancelNotify {
		return
	}
	buf, mark := cs.ch.begin(basicCancel)
	cs.ch.end(append(appendShort(buf, cs.tag), 1), mark) // no-wait
}
