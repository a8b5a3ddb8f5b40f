package engine

import (
	"fmt"
	"net/netip"
	"sync"
)

// maxReserve bounds the connections without a place: accepted beyond the limit, until
// they are refused or have sent a vital request.
const maxReserve = 64

// connLimiter counts connections, in all and from each address, from accept on. A
// connection that has not sent its request yet keeps its place only until a new
// connection needs it: then the oldest of these is evicted, so that heads that trickle
// in lock no client out.
type connLimiter struct {
	max        int                   // connections in all
	perAddress int                   // connections from one address; 0 is no limit
	exempt     func(netip.Addr) bool // addresses without that limit; nil is none

	// mu guards the following fields, and place, count and links of every incoming.
	mu        sync.Mutex
	total     int // connections with a place
	reserved  int // connections without
	heads     headList
	reserve   headList
	addresses map[netip.Addr]*addrCount
}

// addrCount counts the connections from one address.
type addrCount struct {
	addr  netip.Addr
	count int
	heads headList // those whose request has not come
}

// place is the state of a connection in the limiter.
type place uint8

const (
	placeNone    place = iota // evicted or ended
	placeCounted              // it has a place, and may be evicted
	placeReserve              // it has no place: the limit was reached
	placeKept                 // it has a place for good: its request was accepted
)

// enter counts a new connection. Beyond the limit it joins the reserve, where only
// vital requests are answered. The one that it takes the place of, if any, is to be told
// by [Conn.giveWay].
func (c *connLimiter) enter(in *incoming) (evicted Conn) {
	c.mu.Lock()
	defer c.mu.Unlock()
	// Until the PROXY header is read, all clients have the proxy's address.
	addr := in.client.Addr()
	if in.expectProxy {
		addr = netip.Addr{}
	}
	evicted, no := c.takePlace(in, addr)
	if no == nil {
		return evicted
	}
	return c.takeReserve(in, no)
}

// admit makes a connection's place permanent once its request and the client's address
// are known, or returns why there is no place.
func (c *connLimiter) admit(in *incoming, addr netip.Addr) (evicted Conn, no *RejectError) {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case in.place == placeNone:
		return evicted, in.noRoom
	case in.place == placeReserve || in.addr != addr:
		c.remove(in)
		if evicted, no = c.takePlace(in, addr); no != nil {
			return c.takeReserve(in, no), no
		}
	}
	c.unlist(in)
	in.place = placeKept
	return evicted, nil
}

// demote makes a connection that was admitted and then refused evictable again.
func (c *connLimiter) demote(in *incoming) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if in.place == placeKept {
		in.place = placeCounted
		c.list(in)
	}
}

// noRoom returns why a connection has no place; nil if it has one.
func (c *connLimiter) noRoom(in *incoming) *RejectError {
	c.mu.Lock()
	defer c.mu.Unlock()
	if in.place == placeReserve || in.place == placeNone {
		return in.noRoom
	}
	return nil
}

// abandon forgets a connection that was not admitted.
func (c *connLimiter) abandon(in *incoming) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.remove(in)
}

// leave forgets a connection that was admitted.
func (c *connLimiter) leave(count *addrCount) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.uncount(count)
}

// takePlace gives a connection a place, if need be that of the oldest connection
// without a request. mu is held, as in all that follow.
func (c *connLimiter) takePlace(in *incoming, addr netip.Addr) (evicted Conn, no *RejectError) {
	limited := c.limits(addr)
	if from := c.addresses[addr]; limited && from != nil && from.count >= c.perAddress {
		if from.heads.oldest == nil {
			return evicted, full(fmt.Sprintf("too many connections from %v: %d are open; close some", addr, c.perAddress))
		}
		evicted = c.evict(from.heads.oldest)
	} else if c.total >= c.max {
		if c.heads.oldest == nil {
			return evicted, full(fmt.Sprintf("full: %d connections are open; try again later", c.max))
		}
		evicted = c.evict(c.heads.oldest)
	}
	in.place, in.addr, in.count = placeCounted, addr, nil
	if limited {
		in.count = c.countOf(addr)
		in.count.count++
	}
	c.total++
	c.list(in)
	return evicted, nil
}

// takeReserve adds a connection to the reserve, if need be in place of the oldest
// there.
func (c *connLimiter) takeReserve(in *incoming, why *RejectError) (evicted Conn) {
	if c.reserved >= maxReserve { // all of which are in the list
		evicted = c.evict(c.reserve.oldest)
	}
	in.place, in.noRoom = placeReserve, why
	c.reserved++
	c.reserve.add(in)
	return evicted
}

// limits reports whether the connections from an address are limited. Those from Unix
// sockets (the zero address), from this machine and from proxies are not: a proxy's
// connections are those of many clients.
func (c *connLimiter) limits(addr netip.Addr) bool {
	return c.perAddress > 0 && addr.IsValid() && !addr.IsLoopback() && (c.exempt == nil || !c.exempt(addr))
}

func (c *connLimiter) countOf(addr netip.Addr) *addrCount {
	from := c.addresses[addr]
	if from == nil {
		from = &addrCount{addr: addr, heads: headList{of: byAddress}}
		if c.addresses == nil {
			c.addresses = map[netip.Addr]*addrCount{}
		}
		c.addresses[addr] = from
	}
	return from
}

func (c *connLimiter) uncount(from *addrCount) {
	c.total--
	if from != nil {
		if from.count--; from.count == 0 {
			delete(c.addresses, from.addr)
		}
	}
}

// evict takes a connection's place.
func (c *connLimiter) evict(in *incoming) Conn {
	c.remove(in)
	in.noRoom = full("the request took too long, and a new connection needed its place; try again")
	return in.conn
}

// remove removes a connection from all lists and counts.
func (c *connLimiter) remove(in *incoming) {
	switch in.place {
	case placeCounted:
		c.unlist(in)
		c.uncount(in.count)
	case placeKept:
		c.uncount(in.count)
	case placeReserve:
		c.reserve.remove(in)
		c.reserved--
	}
	in.place, in.count = placeNone, nil
}

// list and unlist maintain the lists of evictable connections.
func (c *connLimiter) list(in *incoming) {
	c.heads.add(in)
	if in.count != nil {
		in.count.heads.add(in)
	}
}

func (c *connLimiter) unlist(in *incoming) {
	c.heads.remove(in)
	if in.count != nil {
		in.count.heads.remove(in)
	}
}
