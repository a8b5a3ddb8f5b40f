package bridge

import (
	"fmt"
	"testing"
	"time"

	"github.com/clu-ws/clu-ws/bridge/access"
	"github.com/clu-ws/clu-ws/internal/testkit"
)

func TestABucketGivesItsRateAndTenSecondsOfItAtOnce(t *testing.T) {
	for _, c := range []struct {
		rate  float64
		burst int
		wait  time.Duration // after the burst
	}{
		{2, 20, 500 * time.Millisecond}, {0.5, 5, 2 * time.Second}, {0.01, 1, 100 * time.Second}, {100, 1000, 10 * time.Millisecond},
		{1e-300, 1, maxInterval},
	} {
		now := time.Unix(1000, 0)
		var b bucket
		for i := range c.burst {
			if wait := b.take(now, c.rate); wait != 0 {
				t.Errorf("%v a second: after %d it waits %v", c.rate, i, wait)
			}
		}
		if wait := b.take(now, c.rate); wait != c.wait {
			t.Errorf("%v a second: after the burst it waits %v, want %v", c.rate, wait, c.wait)
		}
		if wait := b.take(now.Add(c.wait-1), c.rate); wait <= 0 {
			t.Errorf("%v a second: it gives one too early", c.rate)
		}
		if wait := b.take(now.Add(c.wait), c.rate); wait != 0 {
			t.Errorf("%v a second: after its wait it gives none for %v", c.rate, wait)
		}
	}
}

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

func TestUsagesAreBoundedAndForgetWhoWasIdleLongest(t *testing.T) {
	var clock testkit.Clock
	u := newUsages(clock.Now)
	connected := u.connect("connected", 1)
	for i := range maxIdleUsages {
		u.take(fmt.Sprint(i), commandsOf, 0.1)
	}
	u.take("0", commandsOf, 0.1) // used again, so that 1 is the one that was idle longest
	for i := range 10 {
		u.take(fmt.Sprint("more ", i), commandsOf, 0.1)
	}
	if len(u.by) != maxIdleUsages+1 || u.idle.Len() != maxIdleUsages {
		t.Errorf("%d are remembered, of which %d are idle", len(u.by), u.idle.Len())
	}
	if u.by["0"] == nil || u.by["1"] != nil || u.by["connected"] != connected {
		t.Error("another than the one that was idle longest is forgotten")
	}
	if !u.full("connected", 1) || u.full("connected", 0) || u.connect("connected", 1) != nil {
		t.Error("the connection of one that was not idle is not counted any more")
	}
	u.disconnect(connected)
	if u.full("connected", 1) || u.connect("connected", 1) != connected {
		t.Error("a connection that has ended is still counted")
	}
	if u.disconnect(connected); u.idle.Len() != maxIdleUsages {
		t.Errorf("%d are idle", u.idle.Len())
	}
}
