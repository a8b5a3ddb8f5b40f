package engine

import (
	"fmt"
	"net/netip"
	"sync"
)

// maxReserve bounds the connections accepted beyond the limit: they wait in the reserve
// until they are rejected or send a vital request.
const maxReserve = 64

// connLimiter counts connections from accept on, in all and per address. A connection that
// has not sent its request yet is evicted, the oldest first, when a new connection needs
// its place: slow request heads lock no client out.
type connLimiter struct {
	max        int                   // connections in all
	perAddress int                   // connections from one address; 0 means no limit
	exempt     func(netip.Addr) bool // addresses without that limit; nil means none

	// mu guards the following fields, and admission, rejection, addr, addrCount and links
	// of every incoming.
	mu        sync.Mutex
	total     int // connections counted towards max
	reserved  int // connections in the reserve
	evictable incomingList
	reserve   incomingList
	addresses map[netip.Addr]*addrCount
}

// addrCount counts the connections from one address.
type addrCount struct {
	addr      netip.Addr
	count     int
	evictable incomingList // those whose request is incomplete
}

// admission is a connection's state in the limiter.
type admission uint8

const (
	admissionNone      admission = iota // evicted or ended
	admissionEvictable                  // counted, and may be evicted
	admissionReserve                    // over the limit
	admissionPermanent                  // counted until it ends: its request was accepted
)

// enter counts a new connection. Beyond the limit it joins the reserve, where only vital
// requests are served. The caller must pass the evicted connection, if any, to
// [Conn.closeEvicted].
func (c *connLimiter) enter(in *incoming) (evicted Conn) {
	c.mu.Lock()
	defer c.mu.Unlock()
	// Until the PROXY header is read, all clients have the proxy's address.
	addr := in.client.Addr()
	if in.expectProxy {
		addr = netip.Addr{}
	}
	evicted, rejectErr := c.claim(in, addr)
	if rejectErr == nil {
		return evicted
	}
	return c.claimReserve(in, rejectErr)
}

// admit counts a connection permanently once its request and the client's address are
// known, or returns why it cannot.
func (c *connLimiter) admit(in *incoming, addr netip.Addr) (evicted Conn, rejectErr *RejectError) {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case in.admission == admissionNone:
		return evicted, in.rejection
	case in.admission == admissionReserve || in.addr != addr:
		c.remove(in)
		if evicted, rejectErr = c.claim(in, addr); rejectErr != nil {
			return c.claimReserve(in, rejectErr), rejectErr
		}
	}
	c.removeEvictable(in)
	in.admission = admissionPermanent
	return evicted, nil
}

// demote makes a connection that was admitted and then rejected evictable again.
func (c *connLimiter) demote(in *incoming) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if in.admission == admissionPermanent {
		in.admission = admissionEvictable
		c.addEvictable(in)
	}
}

// rejection returns why a connection is not counted; nil if it is.
func (c *connLimiter) rejection(in *incoming) *RejectError {
	c.mu.Lock()
	defer c.mu.Unlock()
	if in.admission == admissionReserve || in.admission == admissionNone {
		return in.rejection
	}
	return nil
}

// removeIncoming removes a connection that was not admitted.
func (c *connLimiter) removeIncoming(in *incoming) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.remove(in)
}

// removeAdmitted removes a connection that was admitted.
func (c *connLimiter) removeAdmitted(count *addrCount) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.release(count)
}

// claim counts a connection, if necessary by evicting the oldest one without a request. mu
// is held here and in all methods below.
func (c *connLimiter) claim(in *incoming, addr netip.Addr) (evicted Conn, rejectErr *RejectError) {
	limited := c.isLimited(addr)
	if from := c.addresses[addr]; limited && from != nil && from.count >= c.perAddress {
		if from.evictable.oldest == nil {
			return evicted, overLimit(fmt.Sprintf("too many connections from %v: %d are open; close some", addr, c.perAddress))
		}
		evicted = c.evict(from.evictable.oldest)
	} else if c.total >= c.max {
		if c.evictable.oldest == nil {
			return evicted, overLimit(fmt.Sprintf("full: %d connections are open; try again later", c.max))
		}
		evicted = c.evict(c.evictable.oldest)
	}
	in.admission, in.addr, in.addrCount = admissionEvictable, addr, nil
	if limited {
		in.addrCount = c.addrCount(addr)
		in.addrCount.count++
	}
	c.total++
	c.addEvictable(in)
	return evicted, nil
}

// claimReserve adds a connection to the reserve, if necessary by evicting the oldest there.
func (c *connLimiter) claimReserve(in *incoming, why *RejectError) (evicted Conn) {
	if c.reserved >= maxReserve { // all of them are in the list
		evicted = c.evict(c.reserve.oldest)
	}
	in.admission, in.rejection = admissionReserve, why
	c.reserved++
	c.reserve.add(in)
	return evicted
}

// isLimited reports whether the connections from an address are limited. Unix sockets (the
// zero address), loopback and proxies are not: a proxy's connections belong to many
// clients.
func (c *connLimiter) isLimited(addr netip.Addr) bool {
	return c.perAddress > 0 && addr.IsValid() && !addr.IsLoopback() && (c.exempt == nil || !c.exempt(addr))
}

func (c *connLimiter) addrCount(addr netip.Addr) *addrCount {
	from := c.addresses[addr]
	if from == nil {
		from = &addrCount{addr: addr, evictable: incomingList{link: linkByAddress}}
		if c.addresses == nil {
			c.addresses = map[netip.Addr]*addrCount{}
		}
		c.addresses[addr] = from
	}
	return from
}

func (c *connLimiter) release(from *addrCount) {
	c.total--
	if from != nil {
		if from.count--; from.count == 0 {
			delete(c.addresses, from.addr)
		}
	}
}

// evict removes a connection in favor of another.
func (c *connLimiter) evict(in *incoming) Conn {
	c.remove(in)
	in.rejection = overLimit("the request took too long, and a new connection needed its place; try again")
	return in.conn
}

// remove removes a connection from all lists and counts.
func (c *connLimiter) remove(in *incoming) {
	switch in.admission {
	case admissionEvictable:
		c.removeEvictable(in)
		c.release(in.addrCount)
	case admissionPermanent:
		c.release(in.addrCount)
	case admissionReserve:
		c.reserve.remove(in)
		c.reserved--
	}
	in.admission, in.addrCount = admissionNone, nil
}

// addEvictable and removeEvictable maintain the lists of evictable connections.
func (c *connLimiter) addEvictable(in *incoming) {
	c.evictable.add(in)
	if in.addrCount != nil {
		in.addrCount.evictable.add(in)
	}
}

func (c *connLimiter) removeEvictable(in *incoming) {
	c.evictable.remove(in)
	if in.addrCount != nil {
		in.addrCount.evictable.remove(in)
	}
}
