package hub

import (
	"fmt"
	"strconv"
	"testing"
	"time"

	"github.com/clu-ws/clu-ws/bridge/filter"
)

// With a timer for each, ten thousand windows that end together made ten thousand goroutines wait
// for the hub's lock.
func TestWindowsThatEndTogetherHaveOneTimerAndTakeTurns(t *testing.T) {
	s := newHarness(t)
	l := s.dialAt("/?throttle_ms=1000")
	s.await(l, "hello")
	s.await(l, "ok")
	const senders = 3 * windowsAtOnce
	for range 2 {
		for i := range senders {
			s.says(filter.Reply{Sender: fmt.Sprint("a", i), Code: "i"}, 0)
		}
	}
	if n := s.clock.Timers(); n != 1 {
		t.Errorf("there are %d timers", n)
	}
	// The pending replies go out at the end, some in each round.
	end := s.clock.Now().Add(time.Second).UnixNano()
	for round := 1; round <= senders/windowsAtOnce; round++ {
		s.clock.Next(end)
		s.ask(l, "pong", `{"op": "ping"}`)
		heard := len(l.replies())
		if want := senders + round*windowsAtOnce; heard != want {
			t.Errorf("after round %d it has heard %d replies, want %d", round, heard, want)
		}
	}
	if n := s.clock.Timers(); n != 1 {
		t.Errorf("there are %d timers for the next windows", n)
	}
	s.ask(l, "ok", `{"op": "unsubscribe", "id": "url"}`)
	s.hub.mu.Lock()
	defer s.hub.mu.Unlock()
	if n := len(s.hub.windows.open); n != 0 {
		t.Errorf("%d windows of ended subscriptions are left", n)
	}
}

func TestTheSendersThatASubscriptionThrottlesAreBounded(t *testing.T) {
	s := newHarness(t)
	sub := &sharedSub{Spec: Spec{Throttle: time.Second}}
	for i := range maxThrottleWindows {
		s.hub.openWindow(sub, strconv.Itoa(i), s.clock.Now())
	}
	for range 2 {
		if !s.hub.opensWindow(sub, "one more") {
			t.Error("a sender beyond the bound is throttled")
		}
	}
	if s.hub.opensWindow(sub, "0") || len(sub.windows) != maxThrottleWindows {
		t.Errorf("%d senders are throttled", len(sub.windows))
	}
}
