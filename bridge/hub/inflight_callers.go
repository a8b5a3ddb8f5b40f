package hub

import "github.com/clu-ws/clu-ws/bridge/quota"

// caller is a client with commands in flight.
type caller struct {
	rank
	client Client // nil for those that have disconnected
	share  *share
	waits  commandQueue // those with a waiter
	rest   commandQueue
}

// share holds the callers of one address: more connections give an address no more room.
type share struct {
	rank
	address string
	callers ranking[*caller] // the first has the most commands
	left    *caller          // the commands of disconnected clients; nil if none
}

// commandQueue is a list of a caller's commands, oldest first.
type commandQueue struct {
	oldest, newest *Command
	count          int
}

func (q *commandQueue) add(c *Command) {
	if c.prev = q.newest; c.prev == nil {
		q.oldest = c
	} else {
		c.prev.next = c
	}
	q.newest = c
	q.count++
}

func (q *commandQueue) remove(c *Command) {
	if c.prev == nil {
		q.oldest = c.next
	} else {
		c.prev.next = c.next
	}
	if c.next == nil {
		q.newest = c.prev
	} else {
		c.next.prev = c.prev
	}
	c.prev, c.next = nil, nil
	q.count--
}

// callerOf returns the caller of a client. mu is held.
func (f *Inflight) callerOf(from Client) *caller {
	one := f.callers[from]
	if one != nil {
		return one
	}
	address := quota.Address(from.Remote())
	s := f.shares[address]
	if s == nil {
		s = &share{address: address}
		f.shares[address] = s
		f.largest.add(s)
	}
	one = &caller{client: from, share: s}
	f.callers[from] = one
	s.callers.add(one)
	return one
}

// take adds a command to its caller. mu is held.
func (one *caller) take(f *Inflight, c *Command) {
	if c.waiter != nil {
		one.waits.add(c)
		f.awaited++
	} else {
		one.rest.add(c)
	}
	one.share.callers.change(one, +1)
	f.largest.change(one.share, +1)
}

// giveBack removes a command without a waiter from its caller. mu is held.
func (one *caller) giveBack(f *Inflight, c *Command) {
	one.rest.remove(c)
	s := one.share
	f.largest.change(s, -1)
	if one == s.left {
		if one.count--; one.count == 0 {
			s.left = nil
		}
	} else if s.callers.change(one, -1); one.count == 0 {
		delete(f.callers, one.client)
		s.callers.remove(one)
	}
	if s.count == 0 {
		delete(f.shares, s.address)
		f.largest.remove(s)
	}
}

// Leave is called when a client has disconnected. Its commands stay until they end. Other
// clients may use their ids, but not for the same consumers, whose replies could not be told
// apart.
func (f *Inflight) Leave(from Client) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.disconnect(from)
}

// disconnect is Leave with mu held.
func (f *Inflight) disconnect(from Client) {
	one := f.callers[from]
	if one == nil {
		return
	}
	for one.waits.oldest != nil {
		f.detach(one.waits.oldest)
	}
	delete(f.callers, from)
	s := one.share
	s.callers.remove(one)
	if s.left == nil {
		s.left = &caller{share: s}
	}
	for c := one.rest.oldest; c != nil; c = one.rest.oldest {
		f.releaseID(c)
		one.rest.remove(c)
		c.caller = s.left
		s.left.rest.add(c)
		s.left.count++
	}
}
