package quota

import (
	"fmt"
	"net/netip"
)

// Table divides a number of places among addresses. Each address may take as many as are still
// free. So one address never has more than half of them, nor two more than a third each, and
// there is always room for an address with few.
type Table struct {
	room  int // in all
	taken int
	by    map[string]int // address
}

// NewTable returns a table of so many places.
func NewTable(room int) Table { return Table{room: room, by: map[string]int{}} }

// Take takes room for an address in exchange for what it gives up, if there is enough.
func (s *Table) Take(address string, n, had int) bool {
	if s.by[address]-had+n > s.room-(s.taken-had) {
		return false
	}
	s.taken += n
	s.by[address] += n
	return true
}

// Give gives back n places of an address.
func (s *Table) Give(address string, n int) {
	s.taken -= n
	if s.by[address] -= n; s.by[address] == 0 {
		delete(s.by, address)
	}
}

// Full returns the error of an address that gets no more room.
func (s *Table) Full(address, what, instead string) error {
	return fmt.Errorf("the clients of your address have %d of the %d %s that this bridge allows, and %d are free; "+
		"%s (behind a proxy, all its clients have one address unless the bridge is told to trust it)", s.by[address], s.room, what, max(0, s.room-s.taken), instead)
}

// Address returns the address whose share a client takes: without the port, and for IPv6
// the /64 network, which a single host may own.
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
func (s *Table) Taken() int { return s.taken }
