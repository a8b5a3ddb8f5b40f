package engine

import (
	"fmt"
	"net/http"
	"net/netip"
	"sync"
)

// maxReserve bounds the connections that have no place: those that came when there
// was no room, until they are told so or have asked for something vital.
const maxReserve = 64

// connLimiter counts connections, in all and from each address, from the moment
// they are accepted. One that has not sent its request yet holds its place only
// until somebody else needs it: then the oldest of these gives way, so that heads
// that trickle in keep nobody out.
type connLimiter struct {
	max        int                   // connections in all
	perAddress int                   // connections from one address; 0 is no limit
	exempt     func(netip.Addr) bool // addresses that are not held to it; nil is none

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

// place is where a connection stands with the limiter.
type place uint8

const (
	placeNone    place = iota // it gave way, or has ended
	placeCounted              // it has a place, which it may lose
	placeReserve              // there was no room
	placeKept                 // it has a place to its end: its request was accepted
)

// evicted names a connection that gave way.
type evicted struct {
	on   holder
	slot int32
	gen  uint32
}

// holder is what an incoming connection lives on: a loop, or goroutines of its own.
type holder interface {
	giveWay(slot int32, gen uint32)
}

// tell ends the connection, if there is one. It must not be called with the
// limiter's lock.
func (v evicted) tell() {
	if v.on != nil {
		v.on.giveWay(v.slot, v.gen)
	}
}

// enter counts a new connection. One for which there is no room stays for what is
// vital, until somebody else does.
func (c *connLimiter) enter(in *incoming) (gave evicted) {
	c.mu.Lock()
	defer c.mu.Unlock()
	// Behind a header of the PROXY protocol everybody has the proxy's address.
	addr := in.client.Addr()
	if in.expectProxy || in.readsProxy {
		addr = netip.Addr{}
	}
	gave, no := c.takePlace(in, addr)
	if no == nil {
		return gave
	}
	return c.takeReserve(in, no)
}

// admit keeps the place of a connection whose request has come from the client
// with an address, or says in words why there is none.
func (c *connLimiter) admit(in *incoming, addr netip.Addr) (gave evicted, no *Refusal) {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case in.place == placeNone:
		return gave, in.noRoom
	case in.place == placeReserve || in.addr != addr:
		c.remove(in)
		if gave, no = c.takePlace(in, addr); no != nil {
			return c.takeReserve(in, no), no
		}
	}
	c.unlist(in)
	in.place = placeKept
	return gave, nil
}

// demote makes a connection that was admitted, and then refused, give way again
// to those that need its place.
func (c *connLimiter) demote(in *incoming) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if in.place == placeKept {
		in.place = placeCounted
		c.list(in)
	}
}

// noRoom says why a connection has no place; nil if it has one.
func (c *connLimiter) noRoom(in *incoming) *Refusal {
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

// takePlace counts a connection, in place of the oldest without a request if need
// be. mu is held, as in all that follow.
func (c *connLimiter) takePlace(in *incoming, addr netip.Addr) (gave evicted, no *Refusal) {
	limited := c.limits(addr)
	if from := c.addresses[addr]; limited && from != nil && from.count >= c.perAddress {
		if from.heads.oldest == nil {
			return gave, &Refusal{Status: http.StatusServiceUnavailable, Kind: KindFull,
				Reason: fmt.Sprintf("too many connections from %v: %d are open; close some", addr, c.perAddress)}
		}
		gave = c.evict(from.heads.oldest)
	} else if c.total >= c.max {
		if c.heads.oldest == nil {
			return gave, c.full()
		}
		gave = c.evict(c.heads.oldest)
	}
	in.place, in.addr, in.count = placeCounted, addr, nil
	if limited {
		in.count = c.countOf(addr)
		in.count.count++
	}
	c.total++
	c.list(in)
	return gave, nil
}

// takeReserve has a connection wait without a place, instead of the oldest that
// does if need be.
func (c *connLimiter) takeReserve(in *incoming, why *Refusal) (gave evicted) {
	if c.reserved >= maxReserve { // all of which are in the list
		gave = c.evict(c.reserve.oldest)
	}
	in.place, in.noRoom = placeReserve, why
	c.reserved++
	c.reserve.add(in)
	return gave
}

func (c *connLimiter) full() *Refusal {
	return &Refusal{Status: http.StatusServiceUnavailable, Kind: KindFull,
		Reason: fmt.Sprintf("full: %d connections are open; try again later", c.max)}
}

// limits reports whether the connections from an address are limited. The zero
// address (a Unix socket) and this machine's own are not, nor those of proxies: a
// proxy brings everybody's.
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
func (c *connLimiter) evict(in *incoming) evicted {
	c.remove(in)
	in.noRoom = &Refusal{Status: http.StatusServiceUnavailable, Kind: KindFull,
		Reason: "the request did not come in time, and somebody else needed the place; try again"}
	return evicted{in.on, in.slot, in.gen}
}

// remove takes a connection out of all that it is in.
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

// list and unlist keep the lists of those that would give way.
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
