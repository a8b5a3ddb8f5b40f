package bridge

import (
	"encoding/json"
	"maps"
	"net/http"
	"strings"
	"testing"

	"github.com/clu-ws/clu-ws/bridge/access"
)

// request sends a request to the clients' port.
func (h *accessHarness) request(method, target string, fields http.Header) (*http.Response, map[string]any) {
	h.t.Helper()
	r, err := http.NewRequestWithContext(h.t.Context(), method, "http://"+h.addr+target, nil)
	if err != nil {
		h.t.Fatal(err)
	}
	maps.Copy(r.Header, fields)
	resp, err := http.DefaultTransport.RoundTrip(r)
	if err != nil {
		h.t.Fatal(err)
	}
	defer resp.Body.Close()
	var m map[string]any
	_ = json.NewDecoder(resp.Body).Decode(&m)
	return resp, m
}

func with(fields http.Header, name, value string) http.Header {
	all := fields.Clone()
	if all == nil {
		all = http.Header{}
	}
	all.Set(name, value)
	return all
}

func TestABrowserIsToldWhyItMayNotConnect(t *testing.T) {
	h := newAccessHarness(t)
	bad := http.Header{"Authorization": {"Bearer nonsense"}}
	for _, c := range []struct {
		name, target string
		fields       http.Header
		want         int
		words        string
	}{
		{"valid", "/whoami", h.bearer("ana"), 200, ""},
		{"none", "/whoami", nil, 401, "must know who you are"},
		{"invalid", "/whoami", bad, 401, "not valid"},
		{"its own page", "/whoami", with(h.bearer("ana"), "Origin", "http://"+h.addr), 200, ""},
		{"a foreign page with a token", "/whoami", with(h.bearer("ana"), "Origin", "https://evil.example"), 200, ""},
		{"a foreign page without", "/whoami", http.Header{"Origin": {"https://evil.example"}}, 403, "--origin https://evil.example"},
		{"a room that is granted", "/whoami?path=/live/a", h.bearer("ana"), 200, ""},
		{"a room that is not", "/whoami?path=/live/b", h.bearer("ana"), 403, "/live/b"},
	} {
		resp, m := h.request("GET", c.target, c.fields)
		reason, _ := m["error"].(string)
		if resp.StatusCode != c.want || !strings.Contains(reason, c.words) {
			t.Errorf("%s: %d, %v", c.name, resp.StatusCode, m)
		}
		if c.want == 200 && (m["name"] != "ana" || m["source"] != "token" || m["role"] != "observer" || m["grants"] == nil) {
			t.Errorf("%s is told %v", c.name, m)
		}
		if challenge := resp.Header.Get("WWW-Authenticate"); (c.want == 401) != strings.HasPrefix(challenge, "Bearer") {
			t.Errorf("%s: the challenge is %q", c.name, challenge)
		}
		if resp.Header.Get("Cache-Control") != "no-store" {
			t.Errorf("%s may be cached", c.name)
		}
		page := c.fields.Get("Origin")
		own := page != "" && !strings.Contains(page, "evil")
		if resp.Header.Get("Access-Control-Allow-Origin") != page || (resp.Header.Get("Access-Control-Allow-Credentials") == "true") != own {
			t.Errorf("%s: the page may read it as %v", c.name, resp.Header)
		}
	}
}

func TestABrowserMayAskWithAuthorization(t *testing.T) {
	h := newAccessHarness(t)
	resp, _ := h.request("OPTIONS", "/whoami", http.Header{"Origin": {"https://evil.example"}, "Access-Control-Request-Headers": {"authorization"}})
	if resp.StatusCode != 204 || resp.Header.Get("Access-Control-Allow-Headers") != "Authorization" ||
		resp.Header.Get("Access-Control-Allow-Origin") != "https://evil.example" || resp.Header.Get("Access-Control-Allow-Credentials") != "" {
		t.Errorf("%d, %v", resp.StatusCode, resp.Header)
	}
}

func TestPagesAndHealthStayOpenToAll(t *testing.T) {
	h := newAccessHarness(t)
	for target, want := range map[string]int{"/healthz": 200, "/readyz": 503, "/": 426} {
		if resp, _ := h.request("GET", target, http.Header{"Origin": {"https://other.example"}}); resp.StatusCode != want {
			t.Errorf("%s: %d", target, resp.StatusCode)
		}
	}
	open := newHarness(t)
	resp, err := http.Get("http://" + open.addr + "/whoami")
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if resp.StatusCode != 426 {
		t.Errorf("without access control /whoami is %d", resp.StatusCode)
	}
}

func TestACookieCountsOnlyFromAPageThatMayConnect(t *testing.T) {
	h := newAccessHarness(t, func(c *access.Config) { c.Cookie = "login" })
	cookie := http.Header{"Cookie": {"login=" + h.tokens["ana"]}}
	for page, want := range map[string]int{"": 200, "http://" + h.addr: 200, "https://evil.example": 403, "null": 403} {
		fields := cookie
		if page != "" {
			fields = with(cookie, "Origin", page)
		}
		first := next(t, h.open("/", fields, Subprotocol))
		if entered := first["access"] != nil; entered != (want == 200) {
			t.Errorf("from %q it is greeted with %v", page, first)
		}
		if resp, _ := h.request("GET", "/whoami", fields); resp.StatusCode != want {
			t.Errorf("from %q /whoami is %d, want %d", page, resp.StatusCode, want)
		}
	}
	if err := h.Reload(Reload{Access: &h.config, Origins: []string{"https://console.example", "null"}}); err != nil {
		t.Fatal(err)
	}
	for page, want := range map[string]bool{"https://console.example": true, "null": true, "http://" + h.addr: true, "https://evil.example": false} {
		first := next(t, h.open("/", with(cookie, "Origin", page), Subprotocol))
		if entered := first["access"] != nil; entered != want {
			t.Errorf("after a reload, from %q it is greeted with %v", page, first)
		}
	}
}
