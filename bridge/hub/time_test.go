package hub

import (
	"testing"
	"time"

	"github.com/clu-ws/clu-ws/bridge/filter"
	"github.com/clu-ws/clu-ws/bridge/protocol"
)

// A page subtracts when a reply was heard from the time in hello and pong. If the machine's clock is set
// back, these go on together: otherwise all that was heard before, and an hour long all that is heard,
// would be fresh, and no actor silent.
func TestAgesAreTrueAfterTheClockWasSetBack(t *testing.T) {
	s := newHarness(t)
	set := time.Duration(0)
	s.hub.now = func() time.Time { return s.clock.Now().Add(set) }
	s.pass(5 * time.Hour)
	s.saysBody(filter.Reply{Sender: "dome", Code: "i"}, `{}`)
	set = -time.Hour
	if ahead := s.hub.Ahead(); ahead != time.Hour {
		t.Errorf("the clock is ahead by %v", ahead)
	}
	s.pass(10 * time.Second)
	c := s.dial()
	hello, err := time.Parse(protocol.TimeFormat, s.await(c, "hello")["time"].(string))
	if err != nil {
		t.Fatal(err)
	}
	if age := hello.Sub(s.hub.Liveness()[0].Last); age < 5*time.Second || age > 10*time.Second {
		t.Errorf("a reply of ten seconds before looks %v old", age)
	}
	s.pass(10 * time.Second)
	s.tell(c, `{"op": "ping"}`)
	pong, err := time.Parse(protocol.TimeFormat, s.await(c, "pong")["time"].(string))
	if err != nil || pong.Sub(hello) < 5*time.Second {
		t.Errorf("ten seconds later the time is %v, and was %v: %v", pong, hello, err)
	}
	s.pass(3 * time.Hour)
	s.hub.Time()
	if ahead := s.hub.Ahead(); ahead != 0 {
		t.Errorf("once the clock has caught up it is ahead by %v", ahead)
	}
}
