package origin

import (
	"strings"
	"testing"
)

var (
	open      = Listener{}
	local     = Listener{Local: true}
	admin     = Listener{Admin: true, Hostname: "bridge.example"}
	localhost = Listener{Admin: true, Local: true}
)

// none and one are lists of origins.
var (
	none []string
	one  = []string{"https://console.example", "http://10.0.0.5:8080"}
)

var pageCases = []struct {
	listed   []string
	listener Listener
	host     string
	origins  string // separated by |; "-" is none
	want     string // the kind of the rejection, or ""
}{
	{none, open, "bridge.example:9876", "-", ""},
	{none, open, "bridge.example:9876", "https://evil.example", ""},
	{none, open, "bridge.example:9876", "null", ""},

	{none, local, "127.0.0.1:9876", "-", ""},
	{none, local, "localhost:9876", "http://localhost:8000", ""},
	{none, local, "localhost", "https://localhost", ""},
	{none, local, "[::1]:9876", "http://[::1]:3000", ""},
	{none, local, "127.0.0.1", "http://127.8.9.1:1", ""},
	{none, local, "app.localhost:9876", "http://app.localhost:9876", ""},
	{none, local, "LOCALHOST.:9876", "HTTP://LOCALHOST:1", ""},
	{none, local, "", "-", ""},
	{none, local, "127.0.0.1:9876", "https://evil.example", "origin"},
	{none, local, "127.0.0.1:9876", "null", "origin"},
	{none, local, "127.0.0.1:9876", "http://localhost.evil.example", "origin"},
	{none, local, "127.0.0.1:9876", "http://evil.example/localhost", "origin"},
	{none, local, "127.0.0.1:9876", "http://localhost@evil.example", "origin"},
	{none, local, "127.0.0.1:9876", "http://notlocalhost", "origin"},
	{none, local, "127.0.0.1:9876", "http://0.0.0.0:9876", "origin"},
	{none, local, "127.0.0.1:9876", "http://127.1", "origin"},
	{none, local, "127.0.0.1:9876", "capacitor://localhost", "origin"},
	{none, local, "127.0.0.1:9876", "", "origin"},
	{none, local, "127.0.0.1:9876", "http://localhost http://evil.example", "origin"},
	{none, local, "127.0.0.1:9876", "http://localhost|http://evil.example", "origin"},
	{none, local, "evil.example:9876", "-", "host"},
	{none, local, "evil.example:9876", "http://evil.example:9876", "host"},
	{none, local, "192.0.2.1:9876", "-", "host"},
	{none, local, ":9876", "-", "host"},
	{none, local, ".", "-", "host"},
	{none, admin, ":9877", "-", "host"},
	{none, admin, ".:9877", "-", "host"},
	{none, local, "localhost.evil.example", "-", "host"},
	{none, local, "127.0.0.1.evil.example", "-", "host"},

	{one, local, "localhost", "https://console.example", ""},
	{one, local, "console.example", "https://console.example", ""},
	{one, local, "localhost", "https://console.example:443", ""},
	{one, local, "localhost", "HTTPS://Console.Example", ""},
	{one, local, "localhost", "http://10.0.0.5:8080", ""},
	{one, local, "localhost", "http://10.0.0.5", "origin"},
	{one, local, "localhost", "http://console.example", "origin"},
	{one, local, "localhost", "https://console.example:8443", "origin"},
	{one, local, "localhost", "https://evil.console.example", "origin"},
	{one, local, "localhost", "http://localhost:9876", "origin"},
	{one, local, "other.example", "https://console.example", "host"},
	{one, open, "bridge.example", "https://console.example", ""},
	{one, open, "bridge.example", "https://evil.example", "origin"},
	{one, open, "bridge.example", "null", "origin"},
	{one, open, "bridge.example", "-", ""},
	{[]string{"null"}, open, "bridge.example", "null", ""},
	{[]string{"null"}, local, "localhost", "null", ""},
	{[]string{"*"}, local, "evil.example", "https://evil.example", ""},
	{[]string{"*"}, open, "bridge.example", "null", ""},

	{none, admin, "192.0.2.1:9877", "-", ""},
	{none, admin, "bridge.example:9877", "-", ""},
	{none, admin, "localhost:9877", "-", ""},
	{none, admin, "[2001:db8::1]:9877", "http://[2001:db8::1]:9877", ""},
	{none, admin, "bridge.example:9877", "http://bridge.example:9877", ""},
	{none, admin, "bridge.example:9877", "http://bridge.example", "origin"},
	{none, admin, "192.0.2.1:9877", "http://localhost:8000", "origin"},
	{none, admin, "192.0.2.1:9877", "https://evil.example", "origin"},
	{none, admin, "evil.example:9877", "-", "host"},
	{none, admin, "evil.example:9877", "http://evil.example:9877", "host"},
	{none, localhost, "evil.example", "-", "host"},
	{none, localhost, "127.0.0.1:9877", "http://localhost:8000", ""},
	{none, localhost, "127.0.0.1:9877", "https://evil.example", "origin"},
	{[]string{"*"}, admin, "evil.example", "-", "host"},
	{[]string{"*"}, admin, "192.0.2.1", "https://evil.example", ""},
	{one, admin, "console.example:9877", "-", ""},
	{one, admin, "192.0.2.1", "http://192.0.2.1", "origin"},
}

func TestWhichPagesMayUseWhichListener(t *testing.T) {
	for _, c := range pageCases {
		p, err := New(c.listed)
		if err != nil {
			t.Fatal(err)
		}
		r := Request{Host: c.host}
		if c.origins != "-" {
			r.Origins = strings.Split(c.origins, "|")
		}
		got := ""
		if rejectErr := p.Check(c.listener, r); rejectErr != nil {
			got = rejectErr.Kind
			if !strings.Contains(rejectErr.Error(), "--origin") {
				t.Errorf("the error does not name the flag: %v", rejectErr)
			}
		}
		if got != c.want {
			t.Errorf("%v at %+v, Host %q, Origin %q: rejected for %q, want %q", c.listed, c.listener, c.host, c.origins, got, c.want)
		}
	}
}

func TestAnImageOrFrameOfAnotherSiteCannotStartAProfile(t *testing.T) {
	p, _ := New(nil)
	for _, c := range []struct {
		site, mode, dest string
		ok               bool
	}{
		{"", "", "", true}, {"none", "navigate", "document", true}, {"same-origin", "cors", "empty", true}, {"cross-site", "navigate", "document", true},
		{"cross-site", "navigate", "", true}, {"cross-site", "no-cors", "image", false}, {"cross-site", "navigate", "iframe", false}, {"cross-site", "navigate", "object", false},
	} {
		if no := p.Check(localhost, Request{Host: "127.0.0.1:9877", Site: c.site, Mode: c.mode, Dest: c.dest}); (no == nil) != c.ok {
			t.Errorf("%s, %s, %s: %v", c.site, c.mode, c.dest, no)
		}
	}
}

func TestOnlyOriginsCanBeListed(t *testing.T) {
	for _, wrong := range []string{"", "console.example", "https://console.example/", "https://console.example/x", "https://", "https://user@console.example",
		"https://console.example:x", "https://*.console.example/", "https://b\u00fccher.example", "https://a b", "https://a,https://b"} {
		if _, err := New([]string{wrong}); err == nil || !strings.Contains(err.Error(), "https://console.example") {
			t.Errorf("%q: %v", wrong, err)
		}
	}
}

func TestTheAdviceNeverListsAnInvalidOrigin(t *testing.T) {
	for _, given := range []string{"", ", http://localhost", "http://localhost http://evil.example", "evil.example"} {
		p, _ := New([]string{"https://console.example"})
		no := p.Check(local, Request{Host: "localhost", Origins: []string{given}})
		if no == nil || strings.Contains(no.Error(), "start it") || !strings.Contains(no.Error(), "scheme://host") {
			t.Errorf("%q: %v", given, no)
		}
	}
}

func TestALongOriginIsTruncated(t *testing.T) {
	p, _ := New(nil)
	no := p.Check(local, Request{Host: "localhost", Origins: []string{"https://" + strings.Repeat("x", 8000)}})
	if no == nil || len(no.Error()) > 300 || len(no.Value) > 70 {
		t.Errorf("%v", no)
	}
}

func TestWithAccessControlAPageMayConnectToItsOwnHost(t *testing.T) {
	for _, c := range []struct {
		listed     []string
		listener   Listener
		host       string
		asked      string
		proxied    bool
		page, want string
	}{
		{none, Listener{Access: true}, "bridge.example:9876", "http://bridge.example:9876", false, "http://bridge.example:9876", ""},
		{none, Listener{Access: true}, "bridge.example", "https://bridge.example:443", false, "https://bridge.example", ""},
		{none, Listener{Access: true}, "bridge.example:9876", "http://bridge.example:9876", false, "https://bridge.example:9876", "origin"},
		{none, Listener{Access: true}, "bridge.example:9876", "http://bridge.example:9876", false, "http://bridge.example", "origin"},
		{none, Listener{Access: true}, "bridge.example:9876", "http://bridge.example:9876", false, "https://evil.example", "origin"},
		{none, Listener{Access: true}, "bridge.example:9876", "http://bridge.example:9876", false, "null", "origin"},
		{none, Listener{Access: true}, "null", "null", false, "null", "origin"},
		{none, Listener{Access: true}, "", "http://", false, "http://", "origin"},
		{one, Listener{Access: true}, "bridge.example", "http://bridge.example", false, "http://bridge.example", ""},
		{one, Listener{Access: true}, "bridge.example", "http://bridge.example", false, "https://console.example", ""},
		{one, Listener{Access: true}, "bridge.example", "http://bridge.example", false, "https://evil.example", "origin"},
		{[]string{"null"}, Listener{Access: true}, "bridge.example", "http://bridge.example", false, "null", ""},
		{[]string{"*"}, Listener{Access: true}, "bridge.example", "http://bridge.example", false, "https://evil.example", ""},

		{none, Listener{Access: true, Local: true}, "127.0.0.1:9876", "http://127.0.0.1:9876", false, "http://127.0.0.1:9876", ""},
		{none, Listener{Access: true, Local: true}, "127.0.0.1:9876", "http://127.0.0.1:9876", false, "http://127.0.0.1:8000", "origin"},
		{none, Listener{Access: true, Local: true}, "evil.example:9876", "http://evil.example:9876", false, "http://evil.example:9876", "host"},
		{none, Listener{Access: true, Local: true}, "console.example", "https://console.example", true, "https://console.example", ""},
		{none, Listener{Access: true, Local: true}, "console.example", "https://console.example", true, "https://evil.example", "origin"},

		{none, Listener{Access: true, Admin: true, Local: true}, "127.0.0.1:9877", "http://127.0.0.1:9877", false, "http://127.0.0.1:8000", "origin"},
		{none, Listener{Access: true, Admin: true}, "evil.example", "http://evil.example", true, "http://evil.example", "host"},
		{none, Listener{Access: true, Admin: true}, "192.0.2.1:9877", "http://192.0.2.1:9877", false, "http://192.0.2.1:9877", ""},
		{none, Listener{Access: true, Admin: true}, "192.0.2.1:9877", "http://192.0.2.1:9877", false, "https://evil.example", "origin"},
	} {
		p, err := New(c.listed)
		if err != nil {
			t.Fatal(err)
		}
		got := ""
		if no := p.Check(c.listener, Request{Origins: []string{c.page}, Host: c.host, Asked: c.asked, Proxied: c.proxied}); no != nil {
			got = no.Kind
		}
		if got != c.want {
			t.Errorf("%v at %+v, asked %s (through a proxy: %t), by a page of %s: rejected for %q, want %q", c.listed, c.listener, c.asked, c.proxied, c.page, got, c.want)
		}
	}
}
