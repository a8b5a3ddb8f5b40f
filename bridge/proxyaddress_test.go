package bridge

import (
	"maps"
	"net/http"
	"testing"

	"github.com/clu-ws/clu-ws/bridge/access"
)

// The section access names proxies, too: their users, and the addresses of their clients.
func TestAProxyOfTheAccessSectionNamesUserAndAddress(t *testing.T) {
	h := newAccessHarness(t, func(c *access.Config) {
		c.Proxy = &access.ProxyConfig{From: []string{"127.0.0.1"}, User: "X-Remote-User", Address: "X-Forwarded-For", Role: "observer"}
		for i := range c.Tokens {
			c.Tokens[i].From = []string{"203.0.113.0/24"}
		}
	})
	via := func(fields http.Header, address string) http.Header {
		fields = maps.Clone(fields)
		fields["X-Forwarded-For"] = []string{address}
		return fields
	}
	user := http.Header{"X-Remote-User": {"ana"}}
	if status, reason := h.status("/live/a", user); status != 101 {
		t.Errorf("the user of a proxy gets %d, %s", status, reason)
	}
	if status, _ := h.status("/live/b", user); status != 403 {
		t.Errorf("the user of a proxy gets %d in a room that is not granted", status)
	}
	if status, reason := h.status("/", via(h.bearer("ana"), "203.0.113.9")); status != 101 {
		t.Errorf("a token from its network gets %d, %s", status, reason)
	}
	for _, address := range []string{"198.51.100.1", "203.0.113.9, 198.51.100.1", "127.0.0.1"} {
		if status, _ := h.status("/", via(h.bearer("ana"), address)); status != 403 {
			t.Errorf("a token from %s gets %d", address, status)
		}
	}
	h.reload(func(c *access.Config) { c.Proxy = nil })
	if status, _ := h.status("/", via(h.bearer("ana"), "203.0.113.9")); status != 403 {
		t.Errorf("after a reload without proxies, a token gets %d", status)
	}
	if status, _ := h.status("/live/a", user); status != 401 {
		t.Errorf("after a reload without proxies, a user gets %d", status)
	}
}
