package bridge

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/clu-ws/clu-ws/actor"
	"github.com/clu-ws/clu-ws/amqpx"
	"github.com/clu-ws/clu-ws/bridge/access"
)

// principalWith returns a principal with grants.
func principalWith(t testing.TB, name, grants string) *access.Principal {
	t.Helper()
	g, err := access.ParseGrants(json.RawMessage(grants))
	if err != nil {
		t.Fatal(err)
	}
	return &access.Principal{Name: name, Role: "role", Grants: g}
}

func TestACommandIsWithdrawnOnceItsSenderMaySendItNoLonger(t *testing.T) {
	h := newAccessHarness(t)
	c := &client{number: 1}
	dome := principalWith(t, "ana", `{"command": [{"consumer": "dome"}], "forbid": [{"verb": "shutdown"}]}`)
	c.setPrincipal(dome)
	s := &outgoing{client: c, principal: dome, Command: actor.NewCommand("bridge", "dome", "open", "")}
	withdrawn := h.withdrawn(s)
	for _, step := range []struct {
		name string
		p    *access.Principal
		want bool
	}{
		{"as it was", dome, false},
		{"renewed", principalWith(t, "ana", `{"command": [{}]}`), false},
		{"without the right", principalWith(t, "ana", `{"hear": [{}]}`), true},
		{"forbidden", principalWith(t, "ana", `{"command": [{}], "forbid": [{"verb": "open"}]}`), true},
	} {
		c.setPrincipal(step.p)
		if got := withdrawn(); got != step.want {
			t.Errorf("%s: withdrawn is %v", step.name, got)
		}
	}
	if code, text := s.failure(amqpx.Gone); code != "forbidden" || text == "" {
		t.Errorf("its sender is told %s: %s", code, text)
	}
	if code, _ := s.failure(amqpx.Expired); code != "expired" {
		t.Errorf("another outcome is told as %s", code)
	}
}

// Over HTTP nobody tells a sender of a change.
func TestACommandOverHTTPIsWithdrawnOnceItsSenderMaySendItNoLonger(t *testing.T) {
	for name, c := range map[string]struct {
		change func(h *accessHarness)
		want   bool
	}{
		"nothing": {func(*accessHarness) {}, false},
		"other grants": {func(h *accessHarness) {
			h.reload(func(c *access.Config) { c.Roles["observer"] = testRoles["engineer"] })
		}, false},
		"another": {func(h *accessHarness) {
			h.reload(func(c *access.Config) { c.Revoked = []access.Revocation{{Name: "eve"}} })
		}, false},
		"its role": {func(h *accessHarness) { h.reload(func(c *access.Config) { c.Roles["observer"] = testRoles["viewer"] }) }, true},
		"revoked": {func(h *accessHarness) {
			h.reload(func(c *access.Config) { c.Revoked = []access.Revocation{{Name: "ana"}} })
		}, true},
		"kept out":  {func(h *accessHarness) { h.kick("eng", `{"name": "ana", "block": "10m"}`) }, true},
		"to expire": {func(h *accessHarness) { h.pass(2 * time.Minute) }, true},
	} {
		h := newAccessHarness(t, func(c *access.Config) { expireToken(c, "ana", time.Minute) })
		r := httptest.NewRequest(http.MethodPost, "/api/command", nil)
		r.Header = h.bearer("ana")
		from := h.identifyAPI(httptest.NewRecorder(), r)
		s := &outgoing{client: from, principal: from.principal(), Command: actor.NewCommand("bridge", "dome", "open", "")}
		withdrawn := h.withdrawn(s)
		c.change(h)
		if got := withdrawn(); got != c.want {
			t.Errorf("%s: withdrawn is %v", name, got)
		}
		if code, _ := s.failure(amqpx.Gone); (code == "forbidden") != c.want {
			t.Errorf("%s: its sender is told %s", name, code)
		}
	}
}
