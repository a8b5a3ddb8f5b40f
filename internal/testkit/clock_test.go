package testkit

import (
	"slices"
	"testing"
	"time"
)

func TestCallsAreMadeInOrderAndAtTheirTime(t *testing.T) {
	var c Clock
	var calls []time.Duration
	note := func() { calls = append(calls, c.Now().Sub(time.Unix(0, 0))) }
	c.After(3*time.Second, note)
	c.After(time.Second, func() {
		note()
		c.After(time.Second, note)
	})
	stop := c.After(2*time.Second, func() { t.Error("it was stopped") })
	if !stop() || stop() {
		t.Error("stop must report once that it prevented the call")
	}
	c.Pass(2500 * time.Millisecond)
	if want := []time.Duration{time.Second, 2 * time.Second}; !slices.Equal(calls, want) || c.Timers() != 1 {
		t.Errorf("it called at %v, and has %d timers", calls, c.Timers())
	}
	if now := c.Now().Sub(time.Unix(0, 0)); now != 2500*time.Millisecond {
		t.Errorf("it is %v", now)
	}
}
