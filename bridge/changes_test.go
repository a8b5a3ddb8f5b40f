package bridge

import (
	"encoding/json"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/gobwas/ws/wsutil"

	"github.com/clu-ws/clu-ws/amqpx"
	"github.com/clu-ws/clu-ws/bridge/filter"
	"github.com/clu-ws/clu-ws/internal/testkit"
)

// from has a sender say something, with a place in its order unless that is 0.
func (s *stage) from(sender string, order int64) {
	s.says(filter.Reply{Sender: sender, Code: "i"}, order)
}

// hears compares what the client has heard since it connected.
func (s *stage) hears(l *listener, want ...uint64) {
	s.t.Helper()
	s.ask(l, "pong", `{"op": "ping"}`)
	l.mu.Lock()
	defer l.mu.Unlock()
	if fmt.Sprint(l.heard) != fmt.Sprint(want) {
		s.t.Errorf("it heard %v, want %v", l.heard, want)
	}
}

// since is a subscription that resumes behind a reply.
func (s *stage) since(l *listener, seq int, more string) {
	s.t.Helper()
	s.tell(l, fmt.Sprintf(`{"op": "subscribe", "since": {"epoch": %q, "seq": %d}, %s}`, s.hub.epoch, seq, more))
}

func TestAnOrderOutlastsAChangeOfTheOtherSubscriptions(t *testing.T) {
	s := newStage(t)
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
	s := newStage(t)
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

func TestAReplyThatTheOthersOfASubscriptionStillAwaitIsResumedOnce(t *testing.T) {
	s := newStage(t)
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

func TestWhatIsResumedInOrderGoesOnInOrder(t *testing.T) {
	s := newStage(t)
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

func TestTwoSubscriptionsThatResumeBringNothingThatWasHeardBeforeThem(t *testing.T) {
	s := newStage(t)
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

// share has the numbers be those of a stream, which other bridges have, too.
func (s *stage) share() {
	s.hub.mu.Lock()
	defer s.hub.mu.Unlock()
	s.hub.shared = true
}

func TestUnsubscribeEndsASubscriptionThatStillWaits(t *testing.T) {
	s := newStage(t)
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
	for _, id := range []string{"w", "v"} { // the other one of its id begins
		if m := s.await(l, "ok"); m["id"] != id {
			t.Errorf("the answer is %v", m)
		}
	}
	s.ask(l, "ok", `{"op": "unsubscribe", "id": "v"}`)
	s.ask(l, "ok", `{"op": "unsubscribe", "id": "w"}`)
	s.ask(l, "error", `{"op": "unsubscribe", "id": "w"}`)
}

func TestThoseWhoWaitBeginInTheOrderOfTheirAsking(t *testing.T) {
	s := newStage(t)
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

func TestWhoLeavesWaitsNoLonger(t *testing.T) {
	s := newStage(t)
	s.share()
	l := s.connect()
	s.since(l, 1, `"id": "w"`)
	s.ask(l, "pong", `{"op": "ping"}`)
	_ = l.conn.Close()
	testkit.Eventually(t, 10*time.Second, "it waits no longer", func() error {
		s.hub.mu.Lock()
		defer s.hub.mu.Unlock()
		if n := len(s.hub.waiting); n > 0 {
			return fmt.Errorf("%d wait", n)
		}
		return nil
	})
}

// loading has the bridge read a stream's past until live is called.
func (s *stage) loading() {
	s.hub.mu.Lock()
	defer s.hub.mu.Unlock()
	s.hub.loading, s.hub.shared = true, true
}

func TestSnapshotsWaitForThePastOfAStream(t *testing.T) {
	s := newStage(t)
	s.loading()
	s.from("a", 0)
	l := s.connect()
	s.tell(l, `{"op": "snapshot", "id": "all"}`)
	s.tell(l, `{"op": "actors", "id": "who"}`)
	s.tell(l, `{"op": "subscribe", "id": "s", "snapshot": true}`)
	s.ask(l, "pong", `{"op": "ping"}`)
	s.from("a", 0)
	s.hub.live()
	for _, op := range []string{"snapshot", "actors", "ok", "snapshot"} {
		if m := s.await(l, op); op == "snapshot" && m["seq"] != 2. {
			t.Errorf("the snapshot is %v", m)
		}
	}
	s.from("a", 0)
	s.hears(l, 3)
}

func TestThePastOfAStreamIsResumedByWhoSubscribedBeforeItWasRead(t *testing.T) {
	s := newStage(t)
	s.loading()
	s.from("a", 0)
	l, other := s.connect(), s.connect()
	s.ask(l, "ok", `{"op": "subscribe", "id": "s"}`)
	s.from("a", 0)
	s.hub.live()
	s.from("a", 0)
	for _, l := range []*listener{l, other} {
		s.since(l, 0, `"id": "r"`)
		s.await(l, "ok")
		s.hears(l, 3, 1, 2)
	}
}

func TestAGapThatIsToldWhileAClientWaitsIsResumedByItsOthers(t *testing.T) {
	s := newStage(t)
	s.share()
	l := s.dialAt("/?since=" + s.hub.epoch + ":2")
	s.await(l, "hello")
	s.from("a", 0)
	s.hub.missed(amqpx.Gap{To: time.Now()})
	s.ask(l, "ok", `{"op": "subscribe", "id": "first"}`)
	s.since(l, 0, `"id": "second"`)
	s.await(l, "ok")
	s.await(l, "gap")
}

func TestAPlainClientThatSpeaksV1InABurstMissesNothing(t *testing.T) {
	s := newStage(t)
	for range 10 {
		conn, err := s.dialPlain("/")
		if err != nil {
			t.Fatal(err)
		}
		s.hub.mu.Lock()
		begun := s.hub.seq
		s.hub.mu.Unlock()
		var talking sync.WaitGroup
		talking.Go(func() {
			for range 200 {
				s.from("a", 0)
			}
		})
		if err := wsutil.WriteClientText(conn, []byte(`{"op": "ping"}`)); err != nil {
			t.Fatal(err)
		}
		for last, greeted := begun, false; last < begun+200 || !greeted; {
			_ = conn.SetReadDeadline(time.Now().Add(10 * time.Second))
			text, err := wsutil.ReadServerText(conn)
			if err != nil {
				t.Fatal(err)
			}
			var m struct {
				Op  string
				Seq uint64
			}
			if err := json.Unmarshal(text, &m); err != nil {
				t.Fatal(err)
			}
			switch {
			case m.Op == "hello":
				if greeted = true; m.Seq != last {
					t.Fatalf("behind reply %d the greeting says %d", last, m.Seq)
				}
			case m.Op != "": // the pong
			case !greeted && m.Seq == 0:
				last++
			case !greeted || m.Seq != last+1:
				t.Fatalf("behind reply %d came %s", last, text)
			default:
				last = m.Seq
			}
		}
		talking.Wait()
		_ = conn.Close()
	}
}
