package amqpx

import "time"

// Sender is who publishes a message, as far as the outbox must know: each has a turn
// of its own. It must be comparable; a pointer is.
type Sender interface {
	// Gone reports whether the sender is gone, so that nobody is there to hear what
	// becomes of the message: then it is not sent any more. It must not block.
	Gone() bool
}

// lineup holds the messages that wait to be sent. Those of one sender keep the order in
// which they came, the senders of one party take turns, and so do the parties. So a
// burst delays its sender first, then its party, and takes only the room that the
// others do not need.
type lineup struct {
	capacity int // in places
	places   int // that are taken
	waiting  int // messages
	first    *line
	parties  map[any]*line
	senders  map[Sender]*line
	spare    *line // a chain of empty ones, to be used again
}

// placeBytes is how much of a body a place has room for: what waits is bounded in
// number and in memory.
const placeBytes = 16 << 10

// placesOf is how many places a message takes.
func placesOf(p *publish) int { return 1 + len(p.msg.Body)/placeBytes }

// line is what one sender has waiting, or one party: the lines of its senders. It is
// not empty. Those who take turns make a ring.
type line struct {
	party      *line // of a sender's; nil of a party's
	key        any   // the party
	sender     Sender
	places     int
	head, tail *publish // a sender's messages
	first      *line    // of a party's: whose turn it is
	senders    int      // in its ring
	prev, next *line
}

func newLineup(capacity int) lineup {
	return lineup{capacity: capacity, parties: map[any]*line{}, senders: map[Sender]*line{}}
}

// admits reports whether there is room for another message. When there is none left, a
// party with less than an equal part still gets in, and in a party that has more a
// sender with less than an equal part of that: in its place who has most gives up its
// newest messages, which are returned.
func (q *lineup) admits(p *publish) (ok bool, instead []*publish) {
	n := placesOf(p)
	if q.waiting == 0 || q.places+n <= q.capacity {
		return true, nil
	}
	has, parties := 0, len(q.parties)
	party := q.parties[p.msg.Party]
	if party == nil {
		parties++
	} else {
		has = party.places
	}
	if has+n <= q.capacity/parties {
		for q.places+n > q.capacity {
			instead = append(instead, q.pushOut(largest(q.first)))
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
		instead = append(instead, q.pushOut(party))
	}
	return true, instead
}

// pushOut removes the newest message of the sender who has most in a party.
func (q *lineup) pushOut(party *line) *publish {
	most := largest(party.first)
	p := most.tail
	q.remove(most, p)
	return p
}

// largest is the line of a ring that takes most places.
func largest(first *line) *line {
	most := first
	for l := first.next; l != first; l = l.next {
		if l.places > most.places {
			most = l
		}
	}
	return most
}

// push puts a message behind the others of its sender.
func (q *lineup) push(p *publish) {
	l := q.senders[p.msg.From]
	if l == nil {
		l = q.open(p.msg.From, p.msg.Party)
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

// open makes a line for a sender, who comes last in the turn of its party, as a new
// party comes last in that of all.
func (q *lineup) open(from Sender, of any) *line {
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

func (q *lineup) blank() *line {
	l := q.spare
	if l == nil {
		return new(line)
	}
	q.spare = l.next
	*l = line{}
	return l
}

// head is the message whose turn it is, or nil.
func (q *lineup) head() *publish {
	if q.first == nil {
		return nil
	}
	return q.first.first.head
}

// pop removes the head. Then it is the next party's turn, and in this one the next
// sender's.
func (q *lineup) pop() {
	party := q.first
	l := party.first
	q.first, party.first = party.next, l.next
	q.remove(l, l.head)
}

// skip removes the head, which is not sent: it is its sender's turn still.
func (q *lineup) skip() { q.remove(q.first.first, q.first.first.head) }

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

func (q *lineup) count(l *line, messages, places int) {
	l.places += places
	l.party.places += places
	q.places += places
	q.waiting += messages
}

// join puts a line last in a ring.
func join(first **line, l *line) {
	if *first == nil {
		*first, l.prev, l.next = l, l, l
		return
	}
	l.prev, l.next = (*first).prev, *first
	l.prev.next, l.next.prev = l, l
}

// close takes an empty line out of a ring.
func (q *lineup) close(first **line, l *line) {
	l.prev.next, l.next.prev = l.next, l.prev
	if *first == l {
		*first = l.next
	}
	if *first == l { // it was the only one
		*first = nil
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
