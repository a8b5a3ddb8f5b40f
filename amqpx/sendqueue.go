package amqpx

import "time"

// Sender identifies the publisher of a message: senders take turns in the outbox. It must be
// comparable, such as a pointer.
type Sender interface {
	// Gone reports whether the sender can no longer be told the outcome of the message, for
	// example because it has disconnected. Then the message is not sent. Gone must not block.
	Gone() bool
}

// sendQueue is a fair queue of pending messages: first in, first out for each sender, round-robin
// among the senders of a tenant, and round-robin among tenants. A burst first delays its sender,
// then its tenant, and takes only the room that the others do not need.
type sendQueue struct {
	capacity int // in slots
	slots    int // taken slots
	messages int
	first    *senderQueue
	tenants  map[any]*senderQueue
	senders  map[Sender]*senderQueue
	spare    *senderQueue // free list of empty queues
}

// slotBytes is how many bytes of a body fit in a slot, so that the queue is bounded in number and in
// memory.
const slotBytes = 16 << 10

// slotsOf returns how many slots a message takes.
func slotsOf(p *publish) int { return 1 + len(p.msg.Body)/slotBytes }

// senderQueue is the nonempty queue of a sender, or that of a tenant, which is a ring of its
// senders' queues. Queues that take turns form a ring.
type senderQueue struct {
	tenant     *senderQueue // the sender's tenant; nil for a tenant
	key        any          // the tenant
	sender     Sender
	slots      int
	head, tail *publish     // messages of a sender
	first      *senderQueue // for a tenant: the sender whose turn it is
	senders    int          // in its ring
	prev, next *senderQueue
}

func newSendQueue(capacity int) sendQueue {
	return sendQueue{capacity: capacity, tenants: map[any]*senderQueue{}, senders: map[Sender]*senderQueue{}}
}

// admits reports whether there is room for another message. In a full queue there is still room for
// a tenant below its equal share, and within a larger tenant for a sender below its equal share of
// that. The newest messages of the largest queue are evicted for it, and returned.
func (q *sendQueue) admits(p *publish) (ok bool, evicted []*publish) {
	n := slotsOf(p)
	if q.messages == 0 || q.slots+n <= q.capacity {
		return true, nil
	}
	has, tenants := 0, len(q.tenants)
	tenant := q.tenants[p.msg.Tenant]
	if tenant == nil {
		tenants++
	} else {
		has = tenant.slots
	}
	if has+n <= q.capacity/tenants {
		for q.slots+n > q.capacity {
			evicted = append(evicted, q.evict(largest(q.first)))
		}
		return true, evicted
	}
	if tenant == nil {
		return false, nil
	}
	mine, senders := 0, tenant.senders
	if sq := q.senders[p.msg.From]; sq != nil {
		mine = sq.slots
	} else {
		senders++
	}
	if mine+n > has/senders {
		return false, nil
	}
	for q.slots+n > q.capacity {
		evicted = append(evicted, q.evict(tenant))
	}
	return true, evicted
}

// evict removes the newest message of a tenant's largest sender.
func (q *sendQueue) evict(tenant *senderQueue) *publish {
	most := largest(tenant.first)
	p := most.tail
	q.remove(most, p)
	return p
}

// largest returns the queue of a ring with the most slots.
func largest(first *senderQueue) *senderQueue {
	most := first
	for sq := first.next; sq != first; sq = sq.next {
		if sq.slots > most.slots {
			most = sq
		}
	}
	return most
}

// push appends a message to its sender's queue.
func (q *sendQueue) push(p *publish) {
	sq := q.senders[p.msg.From]
	if sq == nil {
		sq = q.open(p.msg.From, p.msg.Tenant)
	}
	p.prev, p.next = sq.tail, nil
	if sq.tail == nil {
		sq.head = p
	} else {
		sq.tail.next = p
	}
	sq.tail = p
	q.count(sq, 1, slotsOf(p))
}

// open adds a queue for a sender to the end of its tenant's ring, and a new tenant to the end of the
// ring of tenants.
func (q *sendQueue) open(from Sender, of any) *senderQueue {
	tenant := q.tenants[of]
	if tenant == nil {
		tenant = q.alloc()
		tenant.key = of
		q.tenants[of] = tenant
		join(&q.first, tenant)
	}
	sq := q.alloc()
	sq.sender, sq.tenant = from, tenant
	q.senders[from] = sq
	join(&tenant.first, sq)
	tenant.senders++
	return sq
}

func (q *sendQueue) alloc() *senderQueue {
	sq := q.spare
	if sq == nil {
		return new(senderQueue)
	}
	q.spare = sq.next
	*sq = senderQueue{}
	return sq
}

// head returns the next message to send, or nil.
func (q *sendQueue) head() *publish {
	if q.first == nil {
		return nil
	}
	return q.first.first.head
}

// pop removes the head and passes the turn to the next tenant, and within this tenant to the next
// sender.
func (q *sendQueue) pop() {
	tenant := q.first
	sq := tenant.first
	q.first, tenant.first = tenant.next, sq.next
	q.remove(sq, sq.head)
}

// skip removes a head that is not sent; the turn stays with its sender.
func (q *sendQueue) skip() { q.remove(q.first.first, q.first.first.head) }

func (q *sendQueue) remove(sq *senderQueue, p *publish) {
	if p.prev == nil {
		sq.head = p.next
	} else {
		p.prev.next = p.next
	}
	if p.next == nil {
		sq.tail = p.prev
	} else {
		p.next.prev = p.prev
	}
	p.prev, p.next = nil, nil
	q.count(sq, -1, -slotsOf(p))
	if sq.head != nil {
		return
	}
	tenant := sq.tenant
	delete(q.senders, sq.sender)
	q.close(&tenant.first, sq)
	if tenant.senders--; tenant.senders == 0 {
		delete(q.tenants, tenant.key)
		q.close(&q.first, tenant)
	}
}

func (q *sendQueue) count(sq *senderQueue, messages, places int) {
	sq.slots += places
	sq.tenant.slots += places
	q.slots += places
	q.messages += messages
}

// join adds a queue to the end of a ring.
func join(first **senderQueue, sq *senderQueue) {
	if *first == nil {
		*first, sq.prev, sq.next = sq, sq, sq
		return
	}
	sq.prev, sq.next = (*first).prev, *first
	sq.prev.next, sq.next.prev = sq, sq
}

// close removes an empty queue from a ring.
func (q *sendQueue) close(first **senderQueue, sq *senderQueue) {
	sq.prev.next, sq.next.prev = sq.next, sq.prev
	if *first == sq {
		*first = sq.next
	}
	if *first == sq { // it was the only one
		*first = nil
	}
	*sq = senderQueue{next: q.spare}
	q.spare = sq
}

// clear removes all messages and returns them in sending order.
func (q *sendQueue) clear() (all []*publish) {
	for p := q.head(); p != nil; p = q.head() {
		all = append(all, p)
		q.pop()
	}
	return all
}

// expire removes expired messages from the heads of all queues and returns them. An expired message
// after one that has not expired is found once it is the head.
func (q *sendQueue) expire(now time.Time) (expired []*publish) {
	tenant := q.first
	for range len(q.tenants) {
		next, sq := tenant.next, tenant.first
		for range tenant.senders {
			behind := sq.next
			for sq.head != nil && sq.head.expired(now) {
				expired = append(expired, sq.head)
				q.remove(sq, sq.head)
			}
			sq = behind
		}
		tenant = next
	}
	return expired
}
