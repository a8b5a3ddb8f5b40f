package amqpx

import "time"

// Sender is who publishes a message, as far as the outbox must know: each has a turn
// of its own. It must be comparable; a pointer is.
type Sender interface {
	// Gone reports whether the sender is gone, so that nobody is there to hear what
	// becomes of the message: then it is not sent any more. It must not block.
	Gone() bool
}

// lineup holds the messages that wait to be sent: those of one sender in the order in
// which they came, the senders in turn. So a burst of one sender delays only itself,
// and takes only the room that the others do not need.
type lineup struct {
	capacity int
	waiting  int
	// first is whose turn it is; the senders with messages make a ring.
	first *line
	lines map[Sender]*line
	spare *line // a chain of empty ones, to be used again
}

// line holds what one sender has waiting. It is not empty while it is in the ring.
type line struct {
	sender     Sender
	head, tail *publish
	length     int
	prev, next *line
}

func newLineup(capacity int) lineup {
	return lineup{capacity: capacity, lines: map[Sender]*line{}}
}

// admits reports whether there is room for another message of the sender. When there
// is none left, who has less than an equal part still gets in: the sender who has most
// gives up its newest message, which is returned, in its place.
func (q *lineup) admits(from Sender) (ok bool, instead *publish) {
	if q.waiting < q.capacity {
		return true, nil
	}
	length, senders := 0, len(q.lines)
	if l := q.lines[from]; l != nil {
		length = l.length
	} else {
		senders++
	}
	if length >= q.capacity/senders {
		return false, nil
	}
	return true, q.pushOut()
}

// pushOut removes the newest message of who has most.
func (q *lineup) pushOut() *publish {
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

// push puts a message behind the others of its sender.
func (q *lineup) push(p *publish) {
	l := q.lines[p.msg.From]
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

// open makes a line for a sender, who comes last in the turn.
func (q *lineup) open(from Sender) *line {
	l := q.spare
	if l == nil {
		l = new(line)
	} else {
		q.spare = l.next
	}
	*l = line{sender: from}
	if q.first == nil {
		q.first, l.prev, l.next = l, l, l
	} else {
		l.prev, l.next = q.first.prev, q.first
		l.prev.next, l.next.prev = l, l
	}
	q.lines[from] = l
	return l
}

// head is the message whose turn it is, or nil.
func (q *lineup) head() *publish {
	if q.first == nil {
		return nil
	}
	return q.first.head
}

// pop removes the head. Then it is the next sender's turn.
func (q *lineup) pop() {
	l := q.first
	q.first = l.next
	q.remove(l, l.head)
}

// skip removes the head, which is not sent: it is its sender's turn still.
func (q *lineup) skip() { q.remove(q.first, q.first.head) }

func (q *lineup) remove(l *line, p *publish) {
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

// close takes an empty line out of the ring.
func (q *lineup) close(l *line) {
	delete(q.lines, l.sender)
	l.prev.next, l.next.prev = l.next, l.prev
	if q.first == l {
		q.first = l.next
	}
	if q.first == l { // it was the only one
		q.first = nil
	}
	*l = line{next: q.spare}
	q.spare = l
}

// clear removes all messages, and gives them in the order in which they would have
// been sent.
func (q *lineup) clear() (all []*publish) {
	for p := q.head(); p != nil; p = q.head() {
		all = append(all, p)
		q.pop()
	}
	return all
}

// expire removes the messages whose time is over at the heads of all lines, and gives
// them. One that is behind a younger one is found when that is gone.
func (q *lineup) expire(now time.Time) (expired []*publish) {
	if q.first == nil {
		return nil
	}
	for l, n := q.first, len(q.lines); n > 0; n-- {
		next := l.next
		for l.head != nil && l.head.late(now) {
			expired = append(expired, l.head)
			q.remove(l, l.head)
		}
		l = next
	}
	return expired
}
