package hub

import (
	"fmt"
	"testing"
	"time"
)

func TestAnOrderOutlastsAChangeOfTheOtherSubscriptions(t *testing.T) {
	s := newHarness(t)
	l := s.connect()
	s.ask(l, "ok", `{"op": "subscribe", "id": "ordered", "ordered": true, "filter": {"sender": "a"}}`)
	s.from("a", 5)
	s.ask(l, "ok", `{"op": "subscribe", "id": "other", "filter": {"sender": "b"}}`)
	s.from("a", 4)
	s.from("b", 1)
	s.from("a", 6)
	s.hears(l, 1, 3, 4)
}

func TestAWindowOutlastsAChangeOfTheOtherSubscriptions(t *testing.T) {
	s := newHarness(t)
	l := s.connect()
	s.ask(l, "ok", `{"op": "subscribe", "id": "slow", "throttle_ms": 100, "filter": {"sender": "a"}}`)
	s.from("a", 0)
	s.from("a", 0)
	s.ask(l, "ok", `{"op": "subscribe", "id": "other", "filter": {"sender": "b"}}`)
	s.from("a", 0)
	s.hears(l, 1)
	s.pass(100 * time.Millisecond)
	s.hears(l, 1, 3)
	s.from("a", 0)
	s.ask(l, "ok", `{"op": "unsubscribe", "id": "slow"}`)
	s.hears(l, 1, 3, 4)
}

func TestAReplyThatIsPendingInTheGroupIsReplayedOnce(t *testing.T) {
	s := newHarness(t)
	first := s.connect()
	s.ask(first, "ok", `{"op": "subscribe", "id": "slow", "throttle_ms": 100}`)
	s.from("a", 0)
	s.from("a", 0)
	l := s.connect()
	s.since(l, 0, `"throttle_ms": 100`)
	s.await(l, "ok")
	s.hears(l, 1)
	s.pass(100 * time.Millisecond)
	s.hears(l, 1, 2)
}

func TestAnOrderedReplayGoesOnInOrder(t *testing.T) {
	s := newHarness(t)
	for _, order := range []int64{3, 1, 5, 4} {
		s.from("a", order)
	}
	l := s.connect()
	s.since(l, 0, `"ordered": true`)
	s.await(l, "ok")
	s.from("a", 4)
	s.from("a", 5)
	s.hears(l, 1, 3, 6)
}

func TestTwoReplaysDeliverNothingThatCameBefore(t *testing.T) {
	s := newHarness(t)
	for _, sender := range []string{"a", "b"} {
		s.from(sender, 0)
	}
	l := s.connect()
	for _, sender := range []string{"a", "b"} {
		s.from(sender, 0)
	}
	for _, sender := range []string{"a", "b"} {
		s.since(l, 0, fmt.Sprintf(`"id": %q, "filter": {"sender": %[1]q}`, sender))
		s.await(l, "ok")
	}
	s.from("b", 0)
	s.hears(l, 3, 4, 1, 2, 5)
}

// share makes the numbers those of a stream, which other bridges also have.
func (s *hubHarness) share() {
	s.hub.mu.Lock()
	defer s.hub.mu.Unlock()
	s.hub.sharedEpoch = true
}

func TestUnsubscribeEndsASubscriptionThatStillWaits(t *testing.T) {
	s := newHarness(t)
	s.share()
	l := s.connect()
	for range 2 {
		s.since(l, 2, `"id": "w"`)
	}
	s.since(l, 3, `"id": "v"`)
	s.tell(l, `{"op": "unsubscribe", "id": "w"}`)
	if m := s.await(l, "error"); m["id"] != "w" {
		t.Errorf("the subscribe is answered with %v", m)
	}
	s.await(l, "ok")
	for range 3 {
		s.from("a", 0)
	}
	for _, id := range []string{"w", "v"} { // the second request of this id begins
		if m := s.await(l, "ok"); m["id"] != id {
			t.Errorf("the answer is %v", m)
		}
	}
	s.ask(l, "ok", `{"op": "unsubscribe", "id": "v"}`)
	s.ask(l, "ok", `{"op": "unsubscribe", "id": "w"}`)
	s.ask(l, "error", `{"op": "unsubscribe", "id": "w"}`)
}

func TestWaitingRequestsRunInTheirOrder(t *testing.T) {
	s := newHarness(t)
	s.share()
	l := s.connect()
	const many = 50
	for i := range many {
		s.since(l, 1, fmt.Sprintf(`"id": "%d"`, i))
	}
	s.ask(l, "pong", `{"op": "ping"}`)
	s.from("a", 0)
	for i := range many {
		if m := s.await(l, "ok"); m["id"] != fmt.Sprint(i) {
			t.Fatalf("in place %d is %v", i, m)
		}
	}
}

func TestADisconnectedClientWaitsNoLonger(t *testing.T) {
	s := newHarness(t)
	s.share()
	l := s.connect()
	s.since(l, 1, `"id": "w"`)
	s.ask(l, "pong", `{"op": "ping"}`)
	s.hangUp(l)
	s.hub.queue.close() // returns when everything is done
	s.hub.mu.Lock()
	defer s.hub.mu.Unlock()
	if n := len(s.hub.waiting); n > 0 {
		t.Errorf("%d requests wait still", n)
	}
}

// loading makes the hub read a stream's past until live is called.
func (s *hubHarness) loading() {
	s.hub.mu.Lock()
	defer s.hub.mu.Unlock()
	s.hub.loading, s.hub.sharedEpoch = true, true
}

func TestSnapshotsWaitForThePastOfAStream(t *testing.T) {
	s := newHarness(t)
	s.loading()
	s.from("a", 0)
	l := s.connect()
	s.tell(l, `{"op": "snapshot", "id": "all"}`)
	s.tell(l, `{"op": "actors", "id": "who"}`)
	s.tell(l, `{"op": "subscribe", "id": "s", "snapshot": true}`)
	s.ask(l, "pong", `{"op": "ping"}`)
	s.from("a", 0)
	s.hub.Live()
	for _, op := range []string{"snapshot", "actors", "ok", "snapshot"} {
		if m := s.await(l, op); op == "snapshot" && m["seq"] != 2. {
			t.Errorf("the snapshot is %v", m)
		}
	}
	s.from("a", 0)
	s.hears(l, 3)
}

func TestASubscriptionFromBeforeThePastWasReadIsReplayed(t *testing.T) {
	s := newHarness(t)
	s.loading()
	s.from("a", 0)
	l, other := s.connect(), s.connect()
	s.ask(l, "ok", `{"op": "subscribe", "id": "s"}`)
	s.from("a", 0)
	s.hub.Live()
	s.from("a", 0)
	for _, l := range []*recordingClient{l, other} {
		s.since(l, 0, `"id": "r"`)
		s.await(l, "ok")
		s.hears(l, 3, 1, 2)
	}
}

func TestAGapDuringTheFirstReplayIsReplayedByTheNext(t *testing.T) {
	s := newHarness(t)
	s.share()
	l := s.dialAt("/?since=" + s.hub.Epoch + ":2")
	s.await(l, "hello")
	s.from("a", 0)
	s.hub.Missed(time.Time{}, time.Now())
	s.ask(l, "ok", `{"op": "subscribe", "id": "first"}`)
	s.since(l, 0, `"id": "second"`)
	s.await(l, "ok")
	s.await(l, "gap")
}
