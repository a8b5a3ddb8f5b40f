package broker

// entry is a message in a queue. Its seq is its permanent place in the queue, to which it returns when it is
// requeued.
type entry struct {
	seq         uint64
	msg         *message
	redelivered bool
}

// unacked is a delivery that the client has not settled yet.
type unacked struct {
	tag      uint64
	consumer *consumer // nil after basic.get
	queue    *queue
	entry    entry
}

// enqueue adds a message to a queue, and delivers it if a consumer can take it.
func (b *Broker) enqueue(q *queue, m *message) {
	b.hold(m)
	q.ready.push(entry{seq: q.nextSeq, msg: m})
	q.nextSeq++
	b.pump(q)
}

// pump delivers from q to its consumers, round-robin, until it is empty or no consumer can take more.
func (b *Broker) pump(q *queue) {
	for q.ready.len() > 0 {
		cs := q.nextConsumer()
		if cs == nil {
			return
		}
		b.deliver(cs, q.ready.pop())
	}
}

// pumpAll delivers from every queue that the channel consumes.
func (ch *channel) pumpAll() {
	for _, cs := range ch.consumers {
		ch.b.pump(cs.queue)
	}
}

// nextConsumer returns the next consumer, in round-robin, that can take a message, or nil.
func (q *queue) nextConsumer() *consumer {
	for range q.consumers {
		if q.next >= len(q.consumers) {
			q.next = 0
		}
		cs := q.consumers[q.next]
		q.next++
		if cs.canTake() {
			return cs
		}
	}
	return nil
}

// canTake applies the prefetch, which is for consumers that acknowledge, and the bound of the connection.
func (cs *consumer) canTake() bool {
	ch := cs.ch
	if ch.c.released {
		return false
	}
	if !cs.noAck {
		if cs.prefetch > 0 && cs.inFlight >= cs.prefetch || ch.shared > 0 && ch.inFlight >= ch.shared {
			return false
		}
	}
	return !ch.c.out.full()
}

func (b *Broker) deliver(cs *consumer, e entry) {
	ch := cs.ch
	ch.nextTag++
	buf, mark := ch.begin(basicDeliver)
	buf = appendShort(buf, cs.tag)
	buf = appendEnvelope(buf, ch.nextTag, e)
	buf = endFrame(buf, mark)
	ch.c.out.commit(appendContent(buf, ch.id, e.msg, ch.c.frameMax))
	if cs.noAck {
		b.letGo(e.msg)
		return
	}
	cs.inFlight++
	ch.inFlight++
	ch.unacked.push(unacked{tag: ch.nextTag, consumer: cs, queue: cs.queue, entry: e})
}

// appendEnvelope writes the arguments that basic.deliver and basic.get-ok share.
func appendEnvelope(dst []byte, tag uint64, e entry) []byte {
	dst = appendU64(dst, tag)
	redelivered := byte(0)
	if e.redelivered {
		redelivered = 1
	}
	dst = append(dst, redelivered)
	return appendShort(appendShort(dst, e.msg.exchange), e.msg.key)
}

// basicGet answers with one message if there is one. Flags: no-ack.
func (ch *channel) basicGet(a *args) error {
	a.u16()
	name, flags := a.name(), a.flags()
	if err := a.end(); err != nil {
		return err
	}
	q, err := ch.queue(name)
	if err != nil {
		return err
	}
	if q.exclusive != nil {
		return errorf(accessRefused, "queue '%s' in vhost '/' in exclusive use", q.name)
	}
	if q.ready.len() == 0 {
		buf, mark := ch.begin(basicGetEmpty)
		ch.end(append(buf, 0), mark) // one reserved short string
		return nil
	}
	e := q.ready.pop()
	ch.nextTag++
	buf, mark := ch.begin(basicGetOk)
	buf = appendU32(appendEnvelope(buf, ch.nextTag, e), q.ready.len())
	buf = endFrame(buf, mark)
	ch.c.out.commit(appendContent(buf, ch.id, e.msg, ch.c.frameMax))
	if flags&1 != 0 {
		ch.b.letGo(e.msg)
		return nil
	}
	ch.unacked.push(unacked{tag: ch.nextTag, queue: q, entry: e})
	return nil
}
