package quota

import (
	"fmt"
	"testing"
	"time"

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

func TestUsagesAreBoundedAndForgetWhoWasIdleLongest(t *testing.T) {
	var clock testkit.Clock
	u := NewUsages(clock.Now)
	connected := u.Connect("connected", 1)
	for i := range maxIdleUsages {
		u.TakeCommand(fmt.Sprint(i), 0.1)
	}
	u.TakeCommand("0", 0.1) // used again, so that 1 is the one that was idle longest
	for i := range 10 {
		u.TakeCommand(fmt.Sprint("more ", i), 0.1)
	}
	if len(u.by) != maxIdleUsages+1 || u.idle.Len() != maxIdleUsages {
		t.Errorf("%d are remembered, of which %d are idle", len(u.by), u.idle.Len())
	}
	if u.by["0"] == nil || u.by["1"] != nil || u.by["connected"] != connected {
		t.Error("another than the one that was idle longest is forgotten")
	}
	if !u.Full("connected", 1) || u.Full("connected", 0) || u.Connect("connected", 1) != nil {
		t.Error("the connection of one that was not idle is not counted any more")
	}
	u.Disconnect(connected)
	if u.Full("connected", 1) || u.Connect("connected", 1) != connected {
		t.Error("a connection that has ended is still counted")
	}
	if u.Disconnect(connected); u.idle.Len() != maxIdleUsages {
		t.Errorf("%d are idle", u.idle.Len())
	}
}
