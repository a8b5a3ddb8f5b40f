package access

import (
	"strings"
	"testing"
)

func TestWhoeverMayCommandAnActorMayAcknowledgeItsProblems(t *testing.T) {
	for _, c := range []struct {
		grants, actor string
		rule          string // "" is not allowed
	}{
		{`{}`, "dome", ""},
		{`{"hear": [{}]}`, "dome", ""},
		{`{"command": [{}]}`, "dome", "command[0]"},
		{`{"command": [{"consumer": "mount"}, {"consumer": ["lvm.*"], "verb": ["status"]}]}`, "lvm.sci", "command[1]"},
		{`{"command": [{"consumer": "mount"}]}`, "dome", ""},
		{`{"command": [{}], "forbid": [{"verb": "shutdown"}]}`, "dome", "command[0]"},
		{`{"command": [{}], "forbid": [{"consumer": "dome"}]}`, "dome", ""},
		{`{"command": [{}], "forbid": [{"consumer": "dome"}]}`, "dome.x", ""},
		{`{"command": [{}], "forbid": [{"consumer": "dome", "verb": "open"}]}`, "dome", "command[0]"},
		{`{"admin": true}`, "dome", ""},
	} {
		g, err := ParseGrants([]byte(c.grants))
		if err != nil {
			t.Fatal(err)
		}
		p := &Principal{Role: "r", Grants: g}
		d := p.Decide(Request{Door: Acknowledge, Consumer: c.actor})
		if d.Allowed != (c.rule != "") || d.Allowed && d.Rule != "r: "+c.rule {
			t.Errorf("%s of %s: %+v", c.grants, c.actor, d)
		}
		if !d.Allowed && !strings.HasPrefix(d.Reason, "you may not acknowledge problems of "+c.actor+", which takes a grant to command it; your role r may ") {
			t.Errorf("the reason is %s", d.Reason)
		}
	}
	if d := (*Principal)(nil).Decide(Request{Door: Acknowledge, Consumer: "dome"}); !d.Allowed {
		t.Error("without access control nobody may acknowledge")
	}
}
