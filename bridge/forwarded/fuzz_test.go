package forwarded

import (
	"net/netip"
	"testing"
)

// What a client says of its address is believed only as far as trusted proxies pass it on.
func FuzzClient(f *testing.F) {
	for _, seed := range []string{"", "1.2.3.4", "1.2.3.4, 10.0.0.1", "[::1]:80", "fe80::1%eth0", `for=1.2.3.4;by="a,b", for="[2001:db8::1]:4711"`, `for="`, "unknown", ",,,", "::ffff:1.2.3.4"} {
		f.Add(seed, seed)
	}
	trusted, err := Parse([]string{"10.0.0.0/8"})
	if err != nil {
		f.Fatal(err)
	}
	proxy, stranger := netip.MustParseAddrPort("10.0.0.1:1"), netip.MustParseAddrPort("192.0.2.1:2")
	f.Fuzz(func(t *testing.T, xForwardedFor, forwarded string) {
		if got, err := trusted.Client(stranger, []string{xForwardedFor}, []string{forwarded}); err != nil || got != stranger {
			t.Errorf("a stranger counts as %v, %v", got, err)
		}
		got, err := trusted.Client(proxy, []string{xForwardedFor}, nil)
		if err == nil && !got.IsValid() {
			t.Errorf("%q: no address, and no error", xForwardedFor)
		}
		// What the proxy appends is the client, whatever that has sent.
		const client = "192.0.2.7"
		for _, c := range []struct{ xForwardedFor, forwarded []string }{
			{[]string{xForwardedFor, client}, nil}, {[]string{xForwardedFor + ", " + client}, nil},
			{nil, []string{forwarded, "for=" + client}}, {nil, []string{forwarded + ", for=" + client}},
		} {
			if got, err := trusted.Client(proxy, c.xForwardedFor, c.forwarded); err != nil || got.Addr().String() != client {
				t.Errorf("%q, %q: the client counts as %v, %v", c.xForwardedFor, c.forwarded, got, err)
			}
		}
	})
}
