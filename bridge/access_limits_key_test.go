package bridge

import (
	"testing"

	"github.com/clu-ws/clu-ws/bridge/access"
)

func TestClientsOfANameShareItsLimitsAndAnonymousOnesThoseOfTheirAddress(t *testing.T) {
	named := func(name, role string) *access.Principal { return &access.Principal{Name: name, Role: role} }
	for _, c := range []struct {
		a, b             *access.Principal
		remoteA, remoteB string
		share            bool
	}{
		{named("ana", "observer"), named("ana", "engineer"), "10.0.0.1:1", "10.0.0.2:2", true},
		{named("ana", "observer"), named("bob", "observer"), "10.0.0.1:1", "10.0.0.1:1", false},
		{named("", "viewer"), named("", "viewer"), "10.0.0.1:1", "10.0.0.1:2", true},
		{named("", "viewer"), named("", "viewer"), "[2001:db8::1]:1", "[2001:db8::2]:2", true},
		{named("", "viewer"), named("", "viewer"), "10.0.0.1:1", "10.0.0.2:1", false},
		{named("", "viewer"), named("", "guest"), "10.0.0.1:1", "10.0.0.1:1", false},
		{named("", "viewer"), named("10.0.0.1 viewer", "viewer"), "10.0.0.1:1", "10.0.0.1:1", false},
	} {
		if got := usageKey(c.a, c.remoteA) == usageKey(c.b, c.remoteB); got != c.share {
			t.Errorf("%q at %s and %q at %s share: %v", c.a.Name, c.remoteA, c.b.Name, c.remoteB, got)
		}
	}
}
