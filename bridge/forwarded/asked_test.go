package forwarded

import (
	"net/http"
	"net/netip"
	"testing"
)

func TestTheOriginAskedIsTheBrowsersViewOfATrustedProxy(t *testing.T) {
	p, err := Parse([]string{"10.0.0.0/8"})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		peer   string
		secure bool
		fields http.Header
		want   string
	}{
		{"192.0.2.1", false, nil, "http://bridge:9876"},
		{"192.0.2.1", true, nil, "https://bridge:9876"},
		{"192.0.2.1", false, http.Header{"X-Forwarded-Proto": {"https"}, "X-Forwarded-Host": {"evil.example"}}, "http://bridge:9876"},
		{"10.0.0.1", false, nil, "http://bridge:9876"},
		{"10.0.0.1", false, http.Header{"X-Forwarded-Proto": {"https"}}, "https://bridge:9876"},
		{"10.0.0.1", false, http.Header{"X-Forwarded-Proto": {"WSS"}, "X-Forwarded-Host": {"console.example, inner"}}, "https://console.example"},
		{"10.0.0.1", true, http.Header{"X-Forwarded-Proto": {"ws"}}, "http://bridge:9876"},
		{"10.0.0.1", false, http.Header{"Forwarded": {`for=192.0.2.7;proto=https;Host="console.example:8443", for=10.0.0.2;host=inner`}}, "https://console.example:8443"},
		{"10.0.0.1", false, http.Header{"Forwarded": {""}, "X-Forwarded-Host": {""}}, "http://bridge:9876"},
	} {
		get := func(name string) []string { return c.fields[name] }
		if got := p.Asked(netip.MustParseAddr(c.peer), c.secure, "bridge:9876", get); got != c.want {
			t.Errorf("%s, %t, %v: %s, want %s", c.peer, c.secure, c.fields, got, c.want)
		}
	}
	var none *Proxies
	if got := none.Asked(netip.Addr{}, false, "h", func(string) []string { return []string{"https"} }); got != "http://h" {
		t.Errorf("without trusted proxies it is %s", got)
	}
}
