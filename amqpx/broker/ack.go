package broker

import (
	"cmp"
	"slices"
)

func (ch *channel) basicAck(a *args) error {
	tag, flags := a.u64(), a.flags()
	if err := a.end(); err != nil {
		return err
	}
	return ch.settle(tag, flags&1 != 0, false)
}

// basicNack flags: multiple, requeue.
func (ch *channel) basicNack(a *args) error {
	tag, flags := a.u64(), a.flags()
	if err := a.end(); err != nil {
		return err
	}
	return ch.settle(tag, flags&1 != 0, flags&2 != 0)
}

// basicReject flags: requeue.
func (ch *channel) basicReject(a *args) error {
	tag, flags := a.u64(), a.flags()
	if err := a.end(); err != nil {
		return err
	}
	return ch.settle(tag, false, flags&1 != 0)
}

// basicRecover puts all of the channel's unacknowledged messages back. Flags: requeue, without which
// RabbitMQ does not implement it either.
func (ch *channel) basicRecover(id methodID, a *args) error {
	flags := a.flags()
	if err := a.end(); err != nil {
		return err
	}
	if flags&1 == 0 {
		return errorf(notImplemented, "requeue=false")
	}
	if id == basicRecover {
		ch.c.sendPlain(ch.id, basicRecoverOk)
	}
	return ch.settle(0, true, true)
}

// settle settles deliveries: the one with the tag, or with multiple all up to it (0: all). A tag that is not
// outstanding is an error.
func (ch *channel) settle(tag uint64, multiple, requeue bool) error {
	live := ch.unacked.live()
	lo, hi := 0, len(live)
	if tag != 0 || !multiple {
		at, ok := slices.BinarySearchFunc(live, tag, func(u unacked, tag uint64) int { return cmp.Compare(u.tag, tag) })
		if !ok {
			return errorf(preconditionFailed, "unknown delivery tag %d", tag)
		}
		if hi = at + 1; !multiple {
			lo = at
		}
	}

	var touched [4]*queue // queues to deliver from next; on the stack in the usual case
	queues := touched[:0]
	for i := lo; i < hi; i++ {
		u := &live[i]
		ch.b.settleOne(ch, u, requeue)
		if !slices.Contains(queues, u.queue) {
			queues = append(queues, u.queue)
		}
	}
	ch.unacked.remove(lo, hi)
	for _, q := range queues {
		ch.b.pump(q)
	}
	if ch.shared > 0 {
		ch.pumpAll() // the prefetch is shared by all consumers
	}
	return nil
}

// settleOne settles one delivery. With requeue the message returns to its place in the queue.
func (b *Broker) settleOne(ch *channel, u *unacked, requeue bool) {
	if u.consumer != nil {
		u.consumer.inFlight--
		ch.inFlight--
	}
	q := u.queue
	if !requeue || q.deleted {
		b.letGo(u.entry.msg)
		return
	}
	e := u.entry
	e.redelivered = true
	at, _ := slices.BinarySearchFunc(q.ready.live(), e.seq, func(x entry, seq uint64) int { return cmp.Compare(x.seq, seq) })
	q.ready.insert(at, e)
}
