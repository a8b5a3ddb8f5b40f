package quota

import (
	"fmt"
	"testing"
)

func TestQuotaBelongsToAnAddressOrANetwork(t *testing.T) {
	for remote, want := range map[string]string{
		"192.0.2.7:80": "192.0.2.7", "[::ffff:192.0.2.7]:80": "192.0.2.7", "[2001:db8:1:2:3:4:5:6]:80": "2001:db8:1:2::/64", "[fe80::1%eth0]:80": "fe80::/64", "2001:db8:1:2:3:4:5:6": "2001:db8:1:2::/64", "192.0.2.7": "192.0.2.7", "unix": "unix", "": "",
	} {
		if got := Address(remote); got != want {
			t.Errorf("%s: got %s, want %s", remote, got, want)
		}
	}
}

// However many addresses are greedy, one that has little gets what it asks for.
func TestAnAddressLeavesRoomForOthers(t *testing.T) {
	for greedy := range 20 {
		s := NewTable(1000)
		for took := true; took; {
			took = false
			for i := range greedy {
				took = s.Take(fmt.Sprint("greedy", i), 1, 0) || took
			}
		}
		if free := s.places - s.taken; free < 1000/(greedy+1)-1 || !s.Take("honest", min(free, 5), 0) {
			t.Errorf("with %d of them %d are free", greedy, free)
		}
		for address, n := range s.by {
			s.Give(address, n)
		}
		if s.taken != 0 || len(s.by) != 0 {
			t.Errorf("%d are left of %v", s.taken, s.by)
		}
	}
}
