package engine

import (
	"fmt"
	"net/netip"
	"sync"
)

// maxRefusing bounds the connections of a shard that are being told no. Past it
// they are closed without a word.
const maxRefusing = 64

// crowd counts connections, in all and from each address, from the moment they
// are accepted, and turns those away that are too many.
type crowd struct {
	max        int // connections in all
	perAddress int // connections from one address; 0 is no limit

	// mu guards the following fields.
	mu        sync.Mutex
	total     int
	addresses map[netip.Addr]*origin
}

// origin counts the connections from one address.
type origin struct {
	addr  netip.Addr
	count int
}

// enter counts a new connection, or says in words why there is no room. The
// zero address (a Unix socket) and this machine's own are not held to the limit
// for one address: a proxy brings everybody's.
func (c *crowd) enter(addr netip.Addr) (*origin, string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.total >= c.max {
		return nil, fmt.Sprintf("full: %d connections are open; try again later", c.max)
	}
	var from *origin
	if c.perAddress > 0 && addr.IsValid() && !addr.IsLoopback() {
		from = c.addresses[addr]
		if from == nil {
			from = &origin{addr: addr}
			if c.addresses == nil {
				c.addresses = map[netip.Addr]*origin{}
			}
			c.addresses[addr] = from
		}
		if from.count >= c.perAddress {
			return nil, fmt.Sprintf("too many connections from %v: %d are open; close some", addr, c.perAddress)
		}
		from.count++
	}
	c.total++
	return from, ""
}

// leave forgets a connection that entered.
func (c *crowd) leave(from *origin) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.total--
	if from != nil {
		if from.count--; from.count == 0 {
			delete(c.addresses, from.addr)
		}
	}
}
