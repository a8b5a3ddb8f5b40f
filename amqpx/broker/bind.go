package broker

import "github.com/clu-ws/clu-ws/amqpx/topic"

// maxBindingArguments bounds the arguments that a binding keeps, in bytes. No exchange here evaluates them.
const maxBindingArguments = 1024

// queueBind adds a binding. An existing one is left unchanged.
func (ch *channel) queueBind(a *args) error {
	a.u16()
	queueName, exchangeName, key, flags, arguments := a.name(), a.name(), a.name(), a.flags(), a.table()
	if err := a.end(); err != nil {
		return err
	}
	q, err := ch.queue(queueName)
	if err != nil {
		return err
	}
	if exchangeName == "" {
		return errNotOnDefault()
	}
	x, err := ch.b.exchange(exchangeName)
	if err != nil {
		return err
	}
	if err := ch.b.bind(x, q, ch.bindingKey(queueName, key), string(arguments)); err != nil {
		return err
	}
	if flags&1 == 0 {
		ch.c.sendPlain(ch.id, queueBindOk)
	}
	return nil
}

// bindingKey applies a rule of the specification: without queue and key, the name of the last declared queue is
// both.
func (ch *channel) bindingKey(queueName, key string) string {
	if queueName == "" && key == "" {
		return ch.lastQueue
	}
	return key
}

func (b *Broker) bind(x *exchange, q *queue, key, arguments string) error {
	for _, bd := range x.bindings {
		if bd.is(q, key, arguments) {
			return nil
		}
	}
	if len(arguments) > maxBindingArguments {
		return errorf(preconditionFailed, "arguments of %d bytes are more than a binding may have (%d)",
			len(arguments), maxBindingArguments)
	}
	if b.bindings >= b.cfg.MaxBindings {
		return errLimit("binding", b.cfg.MaxBindings)
	}
	bd := &binding{queue: q, key: key, args: arguments}
	if x.kind == "topic" {
		bd.pattern = topic.Compile(key)
	}
	x.bindings = append(x.bindings, bd)
	x.routes = nil
	q.sources[x]++
	b.bindings++
	return nil
}

func (bd *binding) is(q *queue, key, arguments string) bool {
	return bd.queue == q && bd.key == key && bd.args == arguments
}

// queueUnbind removes a binding. One that does not exist is not an error.
func (ch *channel) queueUnbind(a *args) error {
	a.u16()
	queueName, exchangeName, key, arguments := a.name(), a.name(), a.name(), a.table()
	if err := a.end(); err != nil {
		return err
	}
	q, err := ch.queue(queueName)
	if err != nil {
		return err
	}
	if exchangeName == "" {
		return errNotOnDefault()
	}
	x, err := ch.b.exchange(exchangeName)
	if err != nil {
		return err
	}
	key = ch.bindingKey(queueName, key)
	ch.b.unbind(x, func(bd *binding) bool { return bd.is(q, key, string(arguments)) })
	ch.c.sendPlain(ch.id, queueUnbindOk)
	return nil
}
