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
// for each sender, round-robin among the senders of a party, and round-robin among
// parties. A burst delays first its sender, then its party, and takes only the room
// that the others do not need.
type sendQueue struct {
	capacity int // in places
	places   int // taken places
	waiting  int // messages
	first    *senderQueue
	parties  map[any]*senderQueue
	senders  map[Sender]*senderQueue
	spare    *senderQueue // free list of empty queues
}

// placeBytes is how many bytes of a body fit in a place, so that the queue is bounded
// in number and in memory.
const placeBytes = 16 << 10

// placesOf returns how many places a message takes.
func placesOf(p *publish) int { return 1 + len(p.msg.Body)/placeBytes }

// senderQueue is the nonempty queue of a sender, or of a party: the ring of its
// senders' queues. The queues that take turns form a ring.
type senderQueue struct {
	party      *senderQueue // the sender's party; nil for a party
	key        any          // the party
	sender     Sender
	places     int
	head, tail *publish     // messages of a sender
	first      *senderQueue // for a party: the sender whose turn it is
	senders    int          // in its ring
	prev, next *senderQueue
}

func newSendQueue(capacity int) sendQueue {
	return sendQueue{capacity: capacity, parties: map[any]*senderQueue{}, senders: map[Sender]*senderQueue{}}
}

// admits reports whether there is room for another message. In a full queue a party
// below its equal share still gets room, and within a larger party a sender below its
// equal share of that. The newest messages of the largest queue are then evicted and
// returned.
func (q *sendQueue) admits(p *publish) (ok bool, instead []*publish) {
	n := placesOf(p)
	if q.waiting == 0 || q.places+n <= q.capacity {
		return true, nil
	}
	has, parties := 0, len(q.parties)
	party := q.parties[p.msg.Tenant]
	if party == nil {
		parties++
	} else {
		has = party.places
	}
	if has+n <= q.capacity/parties {
		for q.places+n > q.capacity {
			instead = append(instead, q.evict(largest(q.first)))
		}
		return true, instead
	}
	if party == nil {
		return false, nil
	}
	mine, senders := 0, party.senders
	if l := q.senders[p.msg.From]; l != nil {
		mine = l.places
	} else {
		senders++
	}
	if mine+n > has/senders {
		return false, nil
	}
	for q.places+n > q.capacity {
		instead = append(instead, q.evict(party))
	}
	return true, instead
}

// evict removes the newest message of a party's largest sender.
func (q *sendQueue) evict(party *senderQueue) *publish {
	most := largest(party.first)
	p := most.tail
	q.remove(most, p)
	return p
}

// largest returns the queue of a ring with the most places.
func largest(first *senderQueue) *senderQueue {
	most := first
	for l := first.next; l != first; l = l.next {
		if l.places > most.places {
			most = l
		}
	}
	return most
}

// push appends a message to its sender's queue.
func (q *sendQueue) push(p *publish) {
	l := q.senders[p.msg.From]
	if l == nil {
		l = q.open(p.msg.From, p.msg.Tenant)
	}
	p.before, p.behind = l.tail, nil
	if l.tail == nil {
		l.head = p
	} else {
		l.tail.behind = p
	}
	l.tail = p
	q.count(l, 1, placesOf(p))
}

// open adds a queue for a sender to the end of its party's ring, and a new party to the
// end of the ring of parties.
func (q *sendQueue) open(from Sender, of any) *senderQueue {
	party := q.parties[of]
	if party == nil {
		party = q.blank()
		party.key = of
		q.parties[of] = party
		join(&q.first, party)
	}
	l := q.blank()
	l.sender, l.party = from, party
	q.senders[from] = l
	join(&party.first, l)
	party.senders++
	return l
}

func (q *sendQueue) blank() *senderQueue {
	l := q.spare
	if l == nil {
		return new(senderQueue)
	}
	q.spare = l.next
	*l = senderQueue{}
	return l
}

// head is the next message to send, or nil.
func (q *sendQueue) head() *publish {
	if q.first == nil {
		return nil
	}
	return q.first.first.head
}

// pop removes the head and passes the turn to the next party, and within this party to
// the next sender.
func (q *sendQueue) pop() {
	party := q.first
	l := party.first
	q.first, party.first = party.next, l.next
	q.remove(l, l.head)
}

// skip removes a head that is not sent; the turn stays with its sender.
func (q *sendQueue) skip() { q.remove(q.first.first, q.first.first.head) }

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
	q.count(l, -1, -placesOf(p))
	if l.head != nil {
		return
	}
	party := l.party
	delete(q.senders, l.sender)
	q.close(&party.first, l)
	if party.senders--; party.senders == 0 {
		delete(q.parties, party.key)
		q.close(&q.first, party)
	}
}

func (q *sendQueue) count(l *senderQueue, messages, places int) {
	l.places += places
	l.party.places += places
	q.places += places
	q.waiting += messages
}

// join adds a queue to the end of a ring.
func join(first **senderQueue, l *senderQueue) {
	if *first == nil {
		*first, l.prev, l.next = l, l, l
		return
	}
	l.prev, l.next = (*first).prev, *first
	l.prev.next, l.next.prev = l, l
}

// close removes an empty queue from a ring.
func (q *sendQueue) close(first **senderQueue, l *senderQueue) {
	l.prev.next, l.next.prev = l.next, l.prev
	if *first == l {
		*first = l.next
	}
	if *first == l { // it was the only one
		*first = nil
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
	party := q.first
	for range len(q.parties) {
		next, l := party.next, party.first
		for range party.senders {
			behind := l.next
			for l.head != nil && l.head.late(now) {
				expired = append(expired, l.head)
				q.remove(l, l.head)
			}
			l = behind
		}
		party = next
	}
	return expired
}
