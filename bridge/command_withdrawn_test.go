package bridge

import (
	"encoding/json"
	"testing"

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
