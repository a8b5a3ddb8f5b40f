package bridge

import (
	"fmt"
	"testing"
	"time"

	"github.com/clu-ws/clu-ws/bridge/filter"
)

// Ten thousand windows that end together had ten thousand goroutines wait for the hub's
// lock in front of everybody else.
func TestWindowsThatEndTogetherHaveOneTimerAndTakeTurns(t *testing.T) {
	s := newStage(t)
	l := s.dialAt("/?throttle_ms=1000")
	s.await(l, "hello")
	s.await(l, "ok")
	const senders = 3 * windowsAtOnce
	for range 2 {
		for i := range senders {
			s.says(filter.Reply{Sender: fmt.Sprint("a", i), Code: "i"}, 0)
		}
	}
	timers := func() int {
		s.mu.Lock()
		defer s.mu.Unlock()
		return len(s.timers)
	}
	if n := timers(); n != 1 {
		t.Errorf("there are %d timers", n)
	}
	// What is held goes out at the end, some of it with each round.
	s.mu.Lock()
	s.now += time.Second
	s.mu.Unlock()
	for round := 1; round <= senders/windowsAtOnce; round++ {
		s.mu.Lock()
		rings := s.timers[0]
		s.timers = s.timers[1:]
		s.mu.Unlock()
		rings.do()
		s.ask(l, "pong", `{"op": "ping"}`)
		l.mu.Lock()
		heard := len(l.heard)
		l.mu.Unlock()
		if want := senders + round*windowsAtOnce; heard != want {
			t.Errorf("after round %d it has heard %d replies, want %d", round, heard, want)
		}
	}
	if n := timers(); n != 1 {
		t.Errorf("there are %d timers for the next windows", n)
	}
	s.ask(l, "ok", `{"op": "unsubscribe", "id": "url"}`)
	s.hub.mu.Lock()
	defer s.hub.mu.Unlock()
	if n := len(s.hub.windows.open); n != 0 {
		t.Errorf("%d windows are left of who has unsubscribed", n)
	}
}
