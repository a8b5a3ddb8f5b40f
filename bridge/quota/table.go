package quota

import (
	"fmt"
	"net/netip"
)

// Table divides a number of places among addresses. An address may have as many places in all as
// were free before it took the last ones. So, taking few at a time, no address gets more than half
// of them, nor do two get more than a third each, and there is always room for an address with few.
// It is not safe for concurrent use.
type Table struct {
	places int // in all
	taken  int
	by     map[string]int // places that are taken, by address
}

// NewTable returns a table of a number of places.
func NewTable(places int) Table { return Table{places: places, by: map[string]int{}} }

// Take takes n places for an address, which gives up had places in exchange. It returns false,
// and changes nothing, if too few are free.
func (t *Table) Take(address string, n, had int) bool {
	if t.by[address]-had+n > t.places-(t.taken-had) {
		return false
	}
	t.taken += n
	t.by[address] += n
	return true
}

// Give gives back n places of an address.
func (t *Table) Give(address string, n int) {
	t.taken -= n
	if t.by[address] -= n; t.by[address] == 0 {
		delete(t.by, address)
	}
}

// Full returns the error for an address that gets no more places. what names them, and instead
// says what to do.
func (t *Table) Full(address, what, instead string) error {
	return fmt.Errorf("the clients of your address have %d of the %d %s that this bridge allows, and %d are free; "+
		"%s (behind a proxy, all its clients have one address unless the bridge is told to trust it)", t.by[address], t.places, what, max(0, t.places-t.taken), instead)
}

// Address returns the address whose quota a client uses: without the port, and for IPv6 the /64
// network, which a single host may own.
func Address(remote string) string {
	at, err := netip.ParseAddrPort(remote)
	addr := at.Addr()
	if err != nil { // a proxy may not name the port
		if addr, err = netip.ParseAddr(remote); err != nil {
			return remote
		}
	}
	addr = addr.Unmap().WithZone("")
	if addr.Is6() {
		if network, err := addr.Prefix(64); err == nil {
			return network.String()
		}
	}
	return addr.String()
}

// Taken returns how many places are taken.
func (t *Table) Taken() int { return t.taken }
