package hub

import (
	"fmt"
	"strings"
	"testing"

	"github.com/clu-ws/clu-ws/bridge/filter"
	"github.com/clu-ws/clu-ws/bridge/protocol"
)

// remember delivers n replies, which are all kept.
func (s *hubHarness) remember(n int, reply func(i int) (filter.Reply, string)) {
	s.hub.mu.Lock()
	s.hub.history.Replies = n
	s.hub.mu.Unlock()
	for i := range n {
		r, body := reply(i)
		s.saysBody(r, body)
	}
}

// patterns returns a list of n different patterns with the same beginning.
func patterns(n int, beginning string) string {
	all := make([]string, n)
	for i := range all {
		all[i] = fmt.Sprintf("%q", beginning+fmt.Sprint(i, "b"))
	}
	return "[" + strings.Join(all, ", ") + "]"
}

// body42 returns a body with 42 keywords, like that of a telescope's controller.
func body42(i int) string {
	members := make([]string, 42)
	for k := range members {
		members[k] = fmt.Sprintf(`"keyword_%d": %d`, k, i)
	}
	return "{" + strings.Join(members, ", ") + "}"
}

// Without turns these took 51 s and 6 s, in which no other client was answered.
func TestAReplayTakesTurnsOfBoundedWork(t *testing.T) {
	for name, c := range map[string]struct {
		replies int
		reply   func(i int) (filter.Reply, string)
		filter  string
		wanted  int
		turns   int // at most
	}{
		"ids-of-255-bytes": {
			9614, func(i int) (filter.Reply, string) {
				return filter.Reply{Sender: "a", Code: "i", CommandID: strings.Repeat("a", 249) + fmt.Sprintf("%06d", i)}, `{}`
			}, `{"command_id": ` + patterns(64, "*"+strings.Repeat("a", 100)) + `}`, 0, 200,
		},
		"42-keywords": {
			9000, func(i int) (filter.Reply, string) { return filter.Reply{Sender: "a", Code: "i"}, body42(i) },
			`{"keyword": ` + patterns(64, "*nothing*") + `}`, 0, 60,
		},
		"everything": {
			9000, func(i int) (filter.Reply, string) { return filter.Reply{Sender: "a", Code: "i"}, body42(i) }, `{}`, 9000, 2,
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := newHarness(t)
			s.remember(c.replies, c.reply)
			h, client := s.hub, &Session{ID: "x"}
			h.mu.Lock()
			p, reason := h.startReplay(SubscribeRequest{Spec: Spec{Filter: mustFilter(t, c.filter)}, Since: &protocol.Since{Epoch: h.Epoch, Seq: 0}}, client)
			h.mu.Unlock()
			if p == nil {
				t.Fatal(reason)
			}
			turns, most := 0, 0
			for done := false; !done; turns++ {
				before := p.work()
				done = p.turn()
				most = max(most, p.work()-before)
			}
			if most > 2*turnWork || turns > c.turns {
				t.Errorf("it took %d turns, of which one did %d", turns, most)
			}
			if len(p.found) != c.wanted {
				t.Errorf("it found %d replies, want %d", len(p.found), c.wanted)
			}
		})
	}
}

// A snapshot of 200 actors with 200 keywords each took 2.3 s.
func TestASnapshotTakesTurnsOfBoundedWork(t *testing.T) {
	s := newHarness(t)
	for a := range 200 {
		for part := range 4 {
			members := make([]string, 50)
			for k := range members {
				members[k] = fmt.Sprintf(`"keyword_%d_%d_%d": 1`, a, part, k)
			}
			s.saysBody(filter.Reply{Sender: fmt.Sprint("actor", a), Code: "i"}, "{"+strings.Join(members, ", ")+"}")
		}
	}
	h := s.hub
	p := h.snapshots.of(mustFilter(t, `{"keyword": `+patterns(64, "*"+strings.Repeat("?", 40)+"*")+`}`), nil)
	turns, most, before := 0, 0, 0
	for done := false; !done; turns++ {
		done = h.stepSnapshot(p, &Session{})
		most, before = max(most, p.memo.Work()-before), p.memo.Work()
	}
	if most > 2*turnWork || turns < 10 {
		t.Errorf("it took %d turns, of which one did %d", turns, most)
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if frames, ok := h.finishSnapshot(p, nil); !ok || len(frames) != 2 {
		t.Errorf("it is finished: %v, with %d frames", ok, len(frames))
	}
}

// 20 clients of 256 patterns each made every reply cost half a second.
func TestARecurringReplyIsNotMatchedWithEveryPattern(t *testing.T) {
	h := hubWith(t, func(i int) string { return `{"keyword": ` + patterns(64, fmt.Sprint("*nothing_", i, "_*")) + `}` }, 80)
	h.Reply(benchReply(), 0, false)
	h.Reply(benchReply(), 0, false)
	before := h.matcher.memo.Work()
	h.Reply(benchReply(), 0, false)
	if work := h.matcher.memo.Work() - before; work > 80*8 {
		t.Errorf("a reply with 5 keywords cost %d, for 80 filters", work)
	}
}

// The snapshots of forty clients, of twelve megabytes each, were once all encoded at the same time.
func TestFewSnapshotsAreEncodedAtOnce(t *testing.T) {
	s := newHarness(t)
	for a := range 300 {
		s.saysBody(filter.Reply{Sender: fmt.Sprint("actor", a), Code: "i"}, `{"keyword": 1, "other": "`+strings.Repeat("x", 20_000)+`"}`)
	}
	h := s.hub
	type client struct {
		*cachedSnapshot
		Session
		encoded bool
	}
	clients := make([]*client, 3*maxEncoders)
	for i := range clients {
		clients[i] = &client{cachedSnapshot: h.snapshots.of(mustFilter(t, fmt.Sprintf(`{"sender": ["actor*", "%d"]}`, i)), nil)}
	}
	done, left := 0, len(clients)
	for round := 1; left > 0; round++ {
		for i, a := range clients {
			switch {
			case a.encoded || a.closed.Load():
			case h.stepSnapshot(a.cachedSnapshot, &a.Session):
				a.encoded = true
				done++
				left--
			case i < maxEncoders:
				a.closed.Store(true) // another client must get its place
				left--
			}
			if n := len(h.encoding); n > maxEncoders {
				t.Fatalf("%d are encoded at once", n)
			}
		}
		if round > 1000 {
			t.Fatalf("%d of %d are encoded", done, len(clients))
		}
	}
	if len(h.encoding) != 0 || done != 2*maxEncoders {
		t.Errorf("%d are encoded, %d are not done", done, len(h.encoding))
	}
	if !h.stepSnapshot(clients[len(clients)-1].cachedSnapshot, &Session{}) {
		t.Error("one that is up to date waits for its turn")
	}
}
