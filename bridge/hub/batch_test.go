package hub

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/clu-ws/clu-ws/bridge/engine"
	"github.com/clu-ws/clu-ws/bridge/filter"
)

// waitLong sets every batch time that is not 0 to an hour. So within a test, a reply that may wait
// comes only together with another message.
func (s *hubHarness) waitLong() {
	s.hub.mu.Lock()
	defer s.hub.mu.Unlock()
	for _, g := range s.hub.groups {
		for _, m := range g.subs {
			if m.batch > 0 {
				m.batch = time.Hour
			}
		}
	}
}

// batches returns the distinct batch times in all groups.
func (s *hubHarness) batches() (batches []time.Duration) {
	s.hub.mu.Lock()
	defer s.hub.mu.Unlock()
	for _, g := range s.hub.groups {
		for _, m := range g.subs {
			batches = append(batches, m.batch)
		}
	}
	slices.Sort(batches)
	return slices.Compact(batches)
}

// hears compares the replies that a client has received. A test's log delivers at once.
func (l *recordingClient) hears(t *testing.T, want ...uint64) {
	t.Helper()
	if heard := l.replies(); !slices.Equal(heard, want) {
		t.Fatalf("it heard %v, want %v", heard, want)
	}
}

func TestABatchGoesOutWithWhatMayNotWait(t *testing.T) {
	reply := func(sender, code string) filter.Reply { return filter.Reply{Sender: sender, Code: code} }
	for name, c := range map[string]struct {
		then func(s *hubHarness, l *recordingClient)
		want []uint64
	}{
		"the end of a command":   {func(s *hubHarness, _ *recordingClient) { s.says(reply("a", ":"), 0) }, []uint64{1, 2, 3}},
		"its failure":            {func(s *hubHarness, _ *recordingClient) { s.says(reply("a", "f"), 0) }, []uint64{1, 2, 3}},
		"its fatal failure":      {func(s *hubHarness, _ *recordingClient) { s.says(reply("a", "!"), 0) }, []uint64{1, 2, 3}},
		"an error":               {func(s *hubHarness, _ *recordingClient) { s.says(reply("a", "e"), 0) }, []uint64{1, 2, 3}},
		"what another one wants": {func(s *hubHarness, _ *recordingClient) { s.says(reply("b", "i"), 0) }, []uint64{1, 2, 3}},
		"the broker's state": {func(s *hubHarness, l *recordingClient) {
			s.hub.Linked("up", "")
			s.await(l, "broker")
		}, []uint64{1, 2}},
		"a gap": {func(s *hubHarness, l *recordingClient) {
			s.hub.Missed(time.Time{}, time.Now())
			s.await(l, "gap")
		}, []uint64{1, 2}},
		"an answer":           {func(s *hubHarness, l *recordingClient) { s.ask(l, "pong", `{"op": "ping"}`) }, []uint64{1, 2}},
		"an error of its own": {func(s *hubHarness, l *recordingClient) { s.ask(l, "error", `{"op": "dance"}`) }, []uint64{1, 2}},
		"a snapshot":          {func(s *hubHarness, l *recordingClient) { s.ask(l, "snapshot", `{"op": "snapshot"}`) }, []uint64{1, 2}},
		"another subscription": {func(s *hubHarness, l *recordingClient) {
			s.ask(l, "ok", `{"op": "subscribe", "id": "c", "filter": {"sender": "c"}, "batch_ms": 1000}`)
		}, []uint64{1, 2}},
		"the end of its subscription": {func(s *hubHarness, l *recordingClient) { s.ask(l, "ok", `{"op": "unsubscribe", "id": "a"}`) }, []uint64{1, 2}},
		"what was missed": {func(s *hubHarness, l *recordingClient) {
			s.since(l, 0, `"id": "b too", "filter": {"sender": "b"}, "batch_ms": 1000`)
			s.await(l, "ok")
		}, []uint64{1, 2}},
	} {
		t.Run(name, func(t *testing.T) {
			s := newHarness(t)
			l := s.connect()
			s.ask(l, "ok", `{"op": "subscribe", "id": "a", "filter": {"sender": "a"}, "batch_ms": 1000}`)
			s.ask(l, "ok", `{"op": "subscribe", "id": "b", "filter": {"sender": ["a", "b"], "message_code": "w"}, "batch_ms": 100}`)
			s.ask(l, "ok", `{"op": "subscribe", "id": "at once", "filter": {"sender": "b"}}`)
			s.waitLong()
			s.says(reply("a", "i"), 0)
			s.says(reply("a", "w"), 0)
			c.then(s, l)
			l.hears(t, c.want...)
		})
	}
}

// A reply that may wait for one client goes to another client at once.
func TestABatchDelaysOnlyItsOwnSubscribers(t *testing.T) {
	s := newHarness(t)
	patient, hasty := s.connect(), s.connect()
	s.ask(patient, "ok", `{"op": "subscribe", "filter": {"sender": "a"}, "batch_ms": 1000}`)
	s.ask(hasty, "ok", `{"op": "subscribe", "filter": {"sender": "a"}}`)
	s.waitLong()
	s.says(filter.Reply{Sender: "a", Code: "i"}, 0)
	hasty.hears(t, 1)
	s.says(filter.Reply{Sender: "b", Code: ":"}, 0) // ends a command, but neither client selects it
	patient.mu.Lock()
	heard := len(patient.heard)
	patient.mu.Unlock()
	if heard > 0 {
		t.Error("it has heard a reply that waits")
	}
	s.ask(patient, "pong", `{"op": "ping"}`)
	patient.hears(t, 1)
}

func TestAThrottledReplyThatMayWaitWaitsToo(t *testing.T) {
	s := newHarness(t)
	l := s.connect()
	s.ask(l, "ok", `{"op": "subscribe", "throttle_ms": 100, "batch_ms": 1000}`)
	s.waitLong()
	for range 3 {
		s.says(filter.Reply{Sender: "a", Code: "i"}, 0)
	}
	s.pass(100 * time.Millisecond) // the third comes at the end of the window
	s.says(filter.Reply{Sender: "b", Code: "i"}, 0)
	s.says(filter.Reply{Sender: "a", Code: "i"}, 0) // in the next window
	s.says(filter.Reply{Sender: "a", Code: ":"}, 0)
	l.hears(t, 1, 3, 4, 5, 6)
}

func TestMessagesForRoomsMayWait(t *testing.T) {
	s := newHarness(t)
	l := s.connect()
	s.ask(l, "ok", `{"op": "subscribe", "id": "r", "rooms": ["/live/x"], "batch_ms": 1000}`)
	s.waitLong()
	for i := range 3 {
		s.hub.Broadcast("/live/x", engine.Text(fmt.Sprintf(`{"seq": %d}`, i)))
	}
	s.hub.Linked("up", "")
	s.await(l, "broker")
	l.hears(t, 0, 1, 2)
}

func TestRepliesToPlainClientsMayWait(t *testing.T) {
	s := newHarness(t)
	s.hub.batch = time.Hour
	plain := s.hub.Plain.(*recordedLog)
	for n := 1; n <= 10; n++ {
		code, released := "i", 0
		if n == 10 {
			code, released = ":", n // the end of a command releases the replies that wait
		}
		s.says(filter.Reply{Sender: "a", Code: code}, 0)
		if len(plain.frames) != n || plain.released != released {
			t.Errorf("after reply %d there are %d, of which %d do not wait", n, len(plain.frames), plain.released)
		}
	}
}

// The batch time is that of the subscription, else that of the URL. Clients with equal subscriptions
// share a group.
func TestHowLongRepliesMayWait(t *testing.T) {
	const ms = time.Millisecond
	for name, c := range map[string]struct {
		target  string
		request string // none if empty
		want    []time.Duration
	}{
		"nobody says":                 {"/", ``, []time.Duration{0}},
		"the URL, of everything":      {"/?batch_ms=50", ``, []time.Duration{50 * ms}},
		"the URL, of what it selects": {"/?sender=dome&batch_ms=50", ``, []time.Duration{50 * ms}},
		"the URL, of what comes":      {"/?silent=1&batch_ms=50", `{"op": "subscribe"}`, []time.Duration{50 * ms}},
		"null is nothing":             {"/?batch_ms=50", `{"op": "subscribe", "batch_ms": null}`, []time.Duration{50 * ms}},
		"the subscription":            {"/", `{"op": "subscribe", "batch_ms": 1e3}`, []time.Duration{1000 * ms}},
		"the subscription, not":       {"/?batch_ms=50", `{"op": "subscribe", "batch_ms": 0}`, []time.Duration{0}},
		"two that differ":             {"/?sender=dome&batch_ms=50", `{"op": "subscribe", "id": "other", "batch_ms": 70}`, []time.Duration{50 * ms, 70 * ms}},
		"twice the same, the shorter": {"/?sender=dome&batch_ms=50", `{"op": "subscribe", "id": "other", "filter": {"sender": "dome"}, "batch_ms": 20}`, []time.Duration{20 * ms}},
	} {
		t.Run(name, func(t *testing.T) {
			s := newHarness(t)
			for range 2 { // both are in one group
				l := s.dialAt(c.target)
				s.await(l, "hello")
				if strings.Contains(c.target, "sender") {
					s.await(l, "ok")
				}
				if c.request != "" {
					s.ask(l, "ok", c.request)
				}
				s.ask(l, "pong", `{"op": "ping"}`)
			}
			if got := s.batches(); !slices.Equal(got, c.want) {
				t.Errorf("it may wait for %v, want %v", got, c.want)
			}
			s.hub.mu.Lock()
			defer s.hub.mu.Unlock()
			if n := len(s.hub.groups); n != 1 {
				t.Errorf("there are %d groups", n)
			}
		})
	}
}
