package bridge

import (
	"testing"
	"unsafe"
)

func TestAClientsAddressIsRememberedAsItWasGiven(t *testing.T) {
	for _, name := range []string{
		"", "unix", "192.0.2.1:4711", "192.0.2.1:0", "[2001:db8::1]:80", "[::ffff:192.0.2.1]:80", "[fe80::1%eth0]:80", "192.0.2.1",
		"2001:db8::1", "[2001:DB8::1]:80", "192.0.2.1:080", "nonsense:7",
	} {
		var c client
		if c.setRemote(name); c.Remote() != name {
			t.Errorf("%q is remembered as %q", name, c.Remote())
		}
		if c.path() != "/" || c.roomClient() != nil {
			t.Errorf("%q: its path is %q, its room client %v", name, c.path(), c.roomClient())
		}
	}
}

func TestACommonClientTakesOneSmallAllocation(t *testing.T) {
	if size := unsafe.Sizeof(client{}); size > 64 {
		t.Errorf("it takes %d bytes", size)
	}
	var c client
	if c.setRemote("192.0.2.1:4711"); c.extra != nil {
		t.Error("its address is uncommon")
	}
}
