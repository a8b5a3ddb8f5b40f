package bridge

import (
	"fmt"
	"net/netip"
	"slices"
)

// shares divides a table that all clients fill among their addresses: each may take
// as much as is still free. So one address can never have more than half of it, two
// more than a third each, and there is always room for whoever has little.
type shares struct {
	room  int // in all
	taken int
	by    map[string]int // address
}

func newShares(room int) shares { return shares{room: room, by: map[string]int{}} }

// take takes room for an address, which gives up what it had of that, if there is.
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

// errFull says why an address gets no more: whose share it is, and of how much.
func (s *shares) errFull(address, what, instead string) error {
	return fmt.Errorf("the clients of your address have %d of the %d %s that this bridge allows, and %d are free; "+
		"%s (behind a proxy, all its clients have one address unless the bridge is told to trust it)", s.by[address], s.room, what, max(0, s.room-s.taken), instead)
}

// sharer is whose share a client takes from: its address without the port. Of IPv6 it
// is the network of 64 bits, which one host has to itself.
func sharer(remote string) string {
	at, err := netip.ParseAddrPort(remote)
	addr := at.Addr()
	if err != nil { // a proxy may know no port
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

// A set of subscriptions takes its share of the groups by the memory that it may take:
// one for each weightBytes of its filters and of its rooms' places.
const (
	weightBytes = 16 << 10
	placeBytes  = 64 // of a room, and of each room above it
)

// weight is what a client's subscriptions take of the groups.
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
