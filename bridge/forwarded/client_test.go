package forwarded

import (
	"errors"
	"net/netip"
	"strings"
	"testing"
)

func TestTheClientIsTheLastUntrustedAddress(t *testing.T) {
	for _, c := range []struct {
		name, peer       string
		xForwardedFor    []string
		forwarded        []string
		want, wrongWords string
	}{
		{name: "no proxy", peer: "192.0.2.9:5", xForwardedFor: []string{"10.9.9.9"}, want: "192.0.2.9:5"},
		{name: "a proxy without the fields", peer: "10.0.0.1:5", want: "10.0.0.1:5"},
		{name: "one proxy", peer: "10.0.0.1:5", xForwardedFor: []string{"192.0.2.7"}, want: "192.0.2.7:0"},
		{name: "two proxies", peer: "10.0.0.1:5", xForwardedFor: []string{"192.0.2.7, 10.0.0.2"}, want: "192.0.2.7:0"},
		{name: "two lines", peer: "10.0.0.1:5", xForwardedFor: []string{"192.0.2.7", "10.0.0.2"}, want: "192.0.2.7:0"},
		{name: "what the client made up", peer: "10.0.0.1:5", xForwardedFor: []string{"10.0.0.9, 203.0.113.1, 192.0.2.7, 10.0.0.2"}, want: "192.0.2.7:0"},
		{name: "rubbish that the client made up", peer: "10.0.0.1:5", xForwardedFor: []string{"\"x, ;=, 192.0.2.7"}, want: "192.0.2.7:0"},
		{name: "a quote that the client made up", peer: "10.0.0.1:5", forwarded: []string{`for="x, for=192.0.2.7`}, want: "192.0.2.7:0"},
		{name: "a quote before quotes", peer: "10.0.0.1:5", forwarded: []string{`for="x, for="[2001:db9::7]"`}, want: "[2001:db9::7]:0"},
		{name: "rubbish without quotes", peer: "10.0.0.1:5", xForwardedFor: []string{"<script>, , 192.0.2.7"}, want: "192.0.2.7:0"},
		{name: "all of them proxies", peer: "10.0.0.1:5", xForwardedFor: []string{"10.0.0.3, 10.0.0.2"}, want: "10.0.0.3:0"},
		{name: "with a port", peer: "10.0.0.1:5", xForwardedFor: []string{"192.0.2.7:1234"}, want: "192.0.2.7:1234"},
		{name: "IPv6", peer: "[2001:db8::1]:5", xForwardedFor: []string{"2001:db9::7, [2001:db8::2]"}, want: "[2001:db9::7]:0"},
		{name: "IPv6 with a port", peer: "10.0.0.1:5", xForwardedFor: []string{"[2001:db9::7]:80"}, want: "[2001:db9::7]:80"},
		{name: "IPv4 in IPv6", peer: "[::ffff:10.0.0.1]:5", xForwardedFor: []string{"::ffff:192.0.2.7"}, want: "192.0.2.7:0"},
		{name: "a Unix socket", xForwardedFor: []string{"192.0.2.7"}, want: "192.0.2.7:0"},
		{name: "no address", peer: "10.0.0.1:5", xForwardedFor: []string{"192.0.2.7, unknown"}, want: "10.0.0.1:5", wrongWords: "unknown"},
		{name: "a name", peer: "10.0.0.1:5", xForwardedFor: []string{"console.example, 10.0.0.2"}, want: "10.0.0.2:0", wrongWords: "console.example"},

		{name: "Forwarded", peer: "10.0.0.1:5", forwarded: []string{`For="[2001:db9::7]:4711";proto=https, for=10.0.0.2;by=10.0.0.1`}, want: "[2001:db9::7]:4711"},
		{name: "Forwarded with a port", peer: "10.0.0.1:5", forwarded: []string{`proto=http; for="192.0.2.7:80"`}, want: "192.0.2.7:80"},
		{name: "Forwarded without for", peer: "10.0.0.1:5", forwarded: []string{"for=192.0.2.7, proto=https"}, want: "10.0.0.1:5", wrongWords: "not an address"},
		{name: "an obfuscated one", peer: "10.0.0.1:5", forwarded: []string{"for=_hidden"}, want: "10.0.0.1:5", wrongWords: "_hidden"},
		{name: "both, which agree", peer: "10.0.0.1:5", xForwardedFor: []string{"192.0.2.7"}, forwarded: []string{`for="192.0.2.7:80"`}, want: "192.0.2.7:0"},
		{name: "two for in one", peer: "10.0.0.1:5", forwarded: []string{"for=192.0.2.7;for=192.0.2.8"}, want: "10.0.0.1:5", wrongWords: "two"},
	} {
		p, err := Parse([]string{"10.0.0.0/8", "2001:db8::/32", "unix"})
		if err != nil {
			t.Fatal(err)
		}
		var peer netip.AddrPort
		if c.peer != "" {
			peer = netip.MustParseAddrPort(c.peer)
		}
		got, err := p.Client(peer, c.xForwardedFor, c.forwarded)
		if got != netip.MustParseAddrPort(c.want) || (err == nil) != (c.wrongWords == "") || err != nil && !strings.Contains(err.Error(), c.wrongWords) {
			t.Errorf("%s: %v, %v; want %s and %q", c.name, got, err, c.want, c.wrongWords)
		}
	}
}

func TestConflictingFieldsAreAnError(t *testing.T) {
	p, _ := Parse([]string{"127.0.0.1"})
	peer := netip.MustParseAddrPort("127.0.0.1:5")
	if got, err := p.Client(peer, []string{"192.0.2.7"}, []string{"for=203.0.113.1"}); !errors.Is(err, ErrConflict) || got.IsValid() {
		t.Errorf("%v, %v", got, err)
	}
}

func TestNetworksMayBeIPv4MappedIPv6(t *testing.T) {
	p, err := Parse([]string{"::ffff:10.0.0.0/104", "::ffff:192.0.2.1"})
	if err != nil {
		t.Fatal(err)
	}
	for addr, want := range map[string]bool{"10.9.9.9": true, "::ffff:10.9.9.9": true, "192.0.2.1": true, "11.0.0.1": false} {
		if p.Trusts(netip.MustParseAddr(addr)) != want {
			t.Errorf("%s is trusted: %v", addr, !want)
		}
	}
}

func TestOnlyListedProxiesAreTrusted(t *testing.T) {
	p, err := Parse(nil)
	peer := netip.MustParseAddrPort("127.0.0.1:5")
	if got, wrong := p.Client(peer, []string{"192.0.2.7"}, []string{"for=192.0.2.8"}); err != nil || wrong != nil || got != peer {
		t.Errorf("%v, %v, %v", got, err, wrong)
	}
	if got, err := p.Client(netip.AddrPort{}, []string{"192.0.2.7"}, nil); err != nil || got.IsValid() {
		t.Errorf("a Unix socket: %v, %v", got, err)
	}
	for _, wrong := range []string{"", "localhost", "10.0.0.0/33", "10.0.0.0-10.0.0.9", "unix:/run/x"} {
		if _, err := Parse([]string{wrong}); err == nil || !strings.Contains(err.Error(), "10.0.0.0/8") {
			t.Errorf("%q: %v", wrong, err)
		}
	}
}
