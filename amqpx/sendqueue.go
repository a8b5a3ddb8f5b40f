package amqpx

import "time"

// Sender identifies the publisher of a message: senders take turns in the outbox. It
// must be comparable, such as a pointer.
type Sender interface {
	// Gone reports whether the sender has disconnected and can no longer learn the
	// outcome of the message: then the message is not sent. It must not block.
	Gone() bool
}

// sendQueue is a fair queue of the messages that wait to be sent: first in, first out
// for each sender, and round-robin among senders. A burst delays only its own sender,
// and takes only the room that the others do not need.
type sendQueue struct {
	capacity int
	waiting  int
	// first is the queue whose turn it is, in the ring of nonempty queues.
	first  *senderQueue
	queues map[Sender]*senderQueue
	spare  *senderQueue // free list of empty queues
}

// senderQueue is the queue of one sender. It is in the ring while it is not empty.
type senderQueue struct {
	sender     Sender
	head, tail *publish
	length     int
	prev, next *senderQueue
}

func newSendQueue(capacity int) sendQueue {
	return sendQueue{capacity: capacity, queues: map[Sender]*senderQueue{}}
}

// admits reports whether there is room for another message of the sender. In a full
// queue a sender below its equal share still gets room: the newest message of the
// longest queue is evicted and returned.
func (q *sendQueue) admits(from Sender) (ok bool, instead *publish) {
	if q.waiting < q.capacity {
		return true, nil
	}
	length, senders := 0, len(q.queues)
	if l := q.queues[from]; l != nil {
		length = l.length
	} else {
		senders++
	}
	if length >= q.capacity/senders {
		return false, nil
	}
	return true, q.evict()
}

// evict removes the newest message of the longest queue.
func (q *sendQueue) evict() *publish {
	most := q.first
	for l := most.next; l != q.first; l = l.next {
		if l.length > most.length {
			most = l
		}
	}
	p := most.tail
	q.remove(most, p)
	return p
}

// push appends a message to its sender's queue.
func (q *sendQueue) push(p *publish) {
	l := q.queues[p.msg.From]
	if l == nil {
		l = q.open(p.msg.From)
	}
	p.before, p.behind = l.tail, nil
	if l.tail == nil {
		l.head = p
	} else {
		l.tail.behind = p
	}
	l.tail = p
	l.length++
	q.waiting++
}

// open adds a queue for a sender to the end of the ring.
func (q *sendQueue) open(from Sender) *senderQueue {
	l := q.spare
	if l == nil {
		l = new(senderQueue)
	} else {
		q.spare = l.next
	}
	*l = senderQueue{sender: from}
	if q.first == nil {
		q.first, l.prev, l.next = l, l, l
	} else {
		l.prev, l.next = q.first.prev, q.first
		l.prev.next, l.next.prev = l, l
	}
	q.queues[from] = l
	return l
}

// head is the next message to send, or nil.
func (q *sendQueue) head() *publish {
	if q.first == nil {
		return nil
	}
	return q.first.head
}

// pop removes the head and passes the turn to the next sender.
func (q *sendQueue) pop() {
	l := q.first
	q.first = l.next
	q.remove(l, l.head)
}

// skip removes a head that is not sent; the turn stays with its sender.
func (q *sendQueue) skip() { q.remove(q.first, q.first.head) }

func (q *sendQueue) remove(l *senderQueue, p *publish) {
	if p.before == nil {
		l.head = p.behind
	} else {
		p.before.behind = p.behind
	}
	if p.behind == nil {
		l.tail = p.before
	} else {
		p.behind.before = p.before
	}
	p.before, p.behind = nil, nil
	l.length--
	q.waiting--
	if l.length == 0 {
		q.close(l)
	}
}

// close removes an empty queue from the ring.
func (q *sendQueue) close(l *senderQueue) {
	delete(q.queues, l.sender)
	l.prev.next, l.next.prev = l.next, l.prev
	if q.first == l {
		q.first = l.next
	}
	if q.first == l { // it was the only one
		q.first = nil
	}
	*l = senderQueue{next: q.spare}
	q.spare = l
}

// clear removes all messages and returns them in sending order.
func (q *sendQueue) clear() (all []*publish) {
	for p := q.head(); p != nil; p = q.head() {
		all = append(all, p)
		q.pop()
	}
	return all
}

// expire removes late messages from the heads of all queues and returns them. A late
// message behind one that is not late is found once it is the head.
func (q *sendQueue) expire(now time.Time) (expired []*publish) {
	if q.first == nil {
		return nil
	}
	for l, n := q.first, len(q.queues); n > 0; n-- {
		next := l.next
		for l.head != nil && l.head.late(now) {
			expired = append(expired, l.head)
			q.remove(l, l.head)
		}
		l = next
	}
	return expired
}
