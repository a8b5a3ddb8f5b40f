package bridge

import (
	"fmt"
	"net/netip"
	"slices"
)

// shares divides a table among the addresses of its clients: each address may take as
// much as is still free. So one address can never have more than half, nor two more
// than a third each, and there is always room for an address with little.
type shares struct {
	room  int // in all
	taken int
	by    map[string]int // address
}

func newShares(room int) shares { return shares{room: room, by: map[string]int{}} }

// take takes room for an address in exchange for what it gives up, if there is enough.
func (s *shares) take(address string, n, had int) bool {
	if s.by[address]-had+n > s.room-(s.taken-had) {
		return false
	}
	s.taken += n
	s.by[address] += n
	return true
}

func (s *shares) give(address string, n int) {
	s.taken -= n
	if s.by[address] -= n; s.by[address] == 0 {
		delete(s.by, address)
	}
}

// errFull returns the error of an address that gets no more room.
func (s *shares) errFull(address, what, instead string) error {
	return fmt.Errorf("the clients of your address have %d of the %d %s that this bridge allows, and %d are free; "+
		"%s (behind a proxy, all its clients have one address unless the bridge is told to trust it)", s.by[address], s.room, what, max(0, s.room-s.taken), instead)
}

// sharer returns the address whose share a client takes: without the port, and for IPv6
// the /64 network, which a single host may own.
func sharer(remote string) string {
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

// A set of subscriptions is weighed by its memory: one more for each weightBytes of its
// filters and rooms.
const (
	weightBytes = 16 << 10
	placeBytes  = 64 // for a room, and for each room above it
)

// weight returns how many groups a client's subscriptions count for.
func weight(subs []subscription) int {
	bytes := 0
	for i := range subs {
		_, n := subs[i].wish.filterCost()
		bytes += n
		for _, path := range subs[i].wish.rooms {
			bytes += len(path) + placeBytes*len(slices.Collect(upwards(path)))
		}
	}
	return 1 + bytes/weightBytes
}
