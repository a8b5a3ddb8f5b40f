package broker

import (
	"crypto/rand"
	"strings"
)

// queue holds messages until a consumer has acknowledged them. Guarded by Broker.mu.
type queue struct {
	name       string
	durable    bool
	autoDelete bool
	owner      *conn        // of an exclusive queue
	ready      deque[entry] // ascending by seq
	nextSeq    uint64
	consumers  []*consumer
	next       int               // index of the next consumer, in round-robin
	exclusive  *consumer         // an exclusive consumer, which excludes all others
	sources    map[*exchange]int // number of bindings from each exchange
	deleted    bool
}

// queueDeclare flags: passive, durable, exclusive, auto-delete, no-wait.
func (ch *channel) queueDeclare(a *args) error {
	a.u16()
	name, flags, arguments := a.name(), a.flags(), a.table()
	if err := a.end(); err != nil {
		return err
	}
	var q *queue
	var err error
	if flags&1 != 0 {
		if q, err = ch.queue(name); err != nil {
			return answering(err)
		}
	} else {
		want := queue{name: name, durable: flags&2 != 0, autoDelete: flags&8 != 0}
		if flags&4 != 0 {
			want.owner, want.durable = ch.c, false // it is deleted with its connection, so it cannot be durable
		}
		q, err = ch.declareQueue(want, arguments)
	}
	if err != nil {
		return err
	}
	ch.lastQueue = q.name
	if flags&16 == 0 {
		buf, mark := ch.begin(queueDeclareOk)
		buf = appendShort(buf, q.name)
		buf = appendU32(buf, q.ready.len())
		ch.end(appendU32(buf, len(q.consumers)), mark)
	}
	return nil
}

func (ch *channel) declareQueue(want queue, arguments table) (*queue, error) {
	b := ch.b
	if strings.HasPrefix(want.name, "amq.") {
		return nil, errReserved("queue", want.name) // even if it exists: only the broker gives such names
	}
	if err := refuseArguments(arguments, unsupportedByQueue, "queue", want.name); err != nil {
		return nil, err
	}
	if q := b.queues[want.name]; q != nil {
		return q, q.sameAs(want, ch.c)
	}
	if want.name == "" {
		want.name = "amq.gen-" + rand.Text()
	}
	if len(b.queues) >= b.cfg.MaxQueues {
		return nil, errLimit("queue", b.cfg.MaxQueues)
	}
	want.sources = make(map[*exchange]int)
	b.queues[want.name] = &want
	return &want, nil
}

// sameAs compares a declaration with the existing queue.
func (q *queue) sameAs(want queue, by *conn) error {
	object := "queue '" + q.name + "'"
	if err := q.locked(by); err != nil {
		return err
	}
	for _, p := range []property{
		{"durable", want.durable, q.durable},
		{"auto_delete", want.autoDelete, q.autoDelete},
	} {
		if err := p.check(object); err != nil {
			return err
		}
	}
	if (want.owner != nil) != (q.owner != nil) {
		return q.errLocked()
	}
	return nil
}

// locked refuses an exclusive queue to all but its owner.
func (q *queue) locked(by *conn) error {
	if q.owner != nil && q.owner != by {
		return q.errLocked()
	}
	return nil
}

func (q *queue) errLocked() error {
	return errorf(resourceLocked, "cannot obtain exclusive access to locked queue '%s' in vhost '/'. It could be "+
		"originally declared on another connection or the exclusive property value does not match that of the "+
		"original declaration.", q.name)
}

// queue finds a queue that this connection may use. An empty name is the one last declared here.
func (ch *channel) queue(name string) (*queue, error) {
	if name == "" {
		if name = ch.lastQueue; name == "" {
			return nil, errorf(notFound, "no previously declared queue")
		}
	}
	q := ch.b.queues[name]
	if q == nil {
		return nil, errorf(notFound, "no queue '%s' in vhost '/'", name)
	}
	return q, q.locked(ch.c)
}

func (ch *channel) queuePurge(a *args) error {
	a.u16()
	name, flags := a.name(), a.flags()
	if err := a.end(); err != nil {
		return err
	}
	q, err := ch.queue(name)
	if err != nil {
		return err
	}
	n := q.ready.len()
	ch.b.purge(q)
	if flags&1 == 0 {
		buf, mark := ch.begin(queuePurgeOk)
		ch.end(appendU32(buf, n), mark)
	}
	return nil
}

// queueDelete flags: if-unused, if-empty, no-wait. Deleting a queue that does not exist succeeds.
func (ch *channel) queueDelete(a *args) error {
	a.u16()
	name, flags := a.name(), a.flags()
	if err := a.end(); err != nil {
		return err
	}
	n := 0
	q, err := ch.queue(name)
	if e, missing := err.(*amqpError); missing && e.code == notFound && name != "" {
		err = nil
	} else if err == nil {
		n = q.ready.len()
		err = ch.b.deleteQueueIf(q, flags)
	}
	if err == nil && flags&4 == 0 {
		buf, mark := ch.begin(queueDeleteOk)
		ch.end(appendU32(buf, n), mark)
	}
	return err
}

func (b *Broker) deleteQueueIf(q *queue, flags byte) error {
	if flags&1 != 0 && len(q.consumers) > 0 {
		return errorf(preconditionFailed, "queue '%s' in vhost '/' in use", q.name)
	}
	if flags&2 != 0 && q.ready.len() > 0 {
		return errorf(preconditionFailed, "queue '%s' in vhost '/' not empty", q.name)
	}
	b.deleteQueue(q)
	return nil
}

// deleteQueue removes a queue, its messages and bindings, and cancels its consumers. Messages that were
// delivered from it stay with their channels until acknowledged.
func (b *Broker) deleteQueue(q *queue) {
	if q.deleted {
		return
	}
	q.deleted = true
	delete(b.queues, q.name)
	for x := range q.sources {
		b.unbind(x, func(bd *binding) bool { return bd.queue == q })
	}
	for _, cs := range q.consumers {
		b.consumers--
		delete(cs.ch.consumers, cs.tag)
		cs.notifyCancelled()
	}
	q.consumers = nil
	b.purge(q)
}

func (b *Broker) purge(q *queue) {
	for q.ready.len() > 0 {
		b.letGo(q.ready.pop().msg)
	}
}

// leave removes one binding from x.
func (q *queue) leave(x *exchange) {
	if q.sources[x]--; q.sources[x] <= 0 {
		delete(q.sources, x)
	}
}
