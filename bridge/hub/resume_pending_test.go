package hub

import (
	"testing"
	"time"
)

// A pending reply of a throttled subscription may be replaced by a newer one, so the replay of another
// subscription must not leave it out.
func TestAPendingReplyOfOneSubscriptionIsReplayedByAnother(t *testing.T) {
	s := newHarness(t)
	l := s.connect()
	s.ask(l, "ok", `{"op": "subscribe", "id": "slow", "throttle_ms": 100}`)
	s.from("a", 0)
	s.from("a", 0)
	s.since(l, 1, `"id": "all", "filter": {"sender": "a"}`)
	s.await(l, "ok")
	s.from("a", 0)
	s.pass(time.Second)
	s.hears(l, 1, 2, 3)
}

func TestAReplayedReplyIsNoLongerPending(t *testing.T) {
	s := newHarness(t)
	l := s.connect()
	s.ask(l, "ok", `{"op": "subscribe", "id": "slow", "throttle_ms": 100}`)
	s.from("a", 0)
	s.from("a", 0)
	s.since(l, 0, `"id": "all", "filter": {"sender": "a"}`)
	s.await(l, "ok")
	s.pass(time.Second)
	s.hears(l, 1, 1, 2)
}

func TestAReplyThatIsPendingInTheNextGroupIsReplayed(t *testing.T) {
	s := newHarness(t)
	first, l := s.connect(), s.connect()
	for _, l := range []*recordingClient{first, l} {
		s.ask(l, "ok", `{"op": "subscribe", "id": "slow", "throttle_ms": 100}`)
	}
	s.from("a", 0)
	s.from("a", 0)
	s.ask(first, "ok", `{"op": "subscribe", "id": "all", "filter": {"sender": "a"}}`)
	s.since(l, 1, `"id": "all", "filter": {"sender": "a"}`)
	s.await(l, "ok")
	s.from("a", 0)
	s.pass(time.Second)
	s.hears(l, 1, 2, 3)
}

// The group that the client joins already has the reply.
func TestAReplyThatWillBeFlushedIsNotReplayed(t *testing.T) {
	s := newHarness(t)
	first, l := s.connect(), s.connect()
	for _, l := range []*recordingClient{first, l} {
		s.ask(l, "ok", `{"op": "subscribe", "id": "slow", "throttle_ms": 100}`)
	}
	s.ask(first, "ok", `{"op": "subscribe", "id": "all", "filter": {"sender": "a"}}`)
	s.from("a", 0)
	s.from("a", 0)
	s.since(l, 1, `"id": "all", "filter": {"sender": "a"}`)
	s.await(l, "ok")
	s.from("a", 0)
	s.pass(time.Second)
	s.hears(l, 1, 2, 3)
}

func TestAClientFromBeforeTheFirstReplyCanResumeFromZero(t *testing.T) {
	s := newHarness(t)
	l := s.connect()
	s.ask(l, "ok", `{"op": "subscribe", "id": "a", "filter": {"sender": "a"}}`)
	s.from("b", 0)
	s.since(l, 0, `"id": "b", "filter": {"sender": "b"}`)
	s.await(l, "ok")
	s.hears(l, 1)
}
