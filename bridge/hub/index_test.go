package hub

import (
	"fmt"
	"testing"

	"github.com/clu-ws/clu-ws/bridge/filter"
)

// A subscription that begins while the filters of a reply are evaluated gets the reply, because its
// answer came before the reply.
func TestASubscriptionThatBeginsDuringMatchingGetsTheReply(t *testing.T) {
	for _, subscriptions := range []int{1, maxLockedChanges, maxLockedChanges + 1, 3 * maxLockedChanges} {
		t.Run(fmt.Sprint(subscriptions), func(t *testing.T) {
			s := newHarness(t)
			var all []*recordingClient
			for range subscriptions {
				l := s.dialAt("/?silent=1")
				s.await(l, "hello")
				all = append(all, l)
			}
			s.hub.matcher.matching = func() {
				s.hub.matcher.matching = nil
				for i, l := range all {
					s.ask(l, "ok", fmt.Sprintf(`{"op": "subscribe", "id": "a", "filter": {"sender": ["a", "other%d"]}}`, i))
					s.ask(l, "ok", `{"op": "subscribe", "id": "b", "filter": {"sender": "b"}}`)
				}
			}
			s.says(filter.Reply{Sender: "a", Code: "i"}, 0)
			for _, l := range all {
				s.hears(l, 1)
			}
		})
	}
}

// However many subscriptions begin meanwhile, a reply is matched without the lock only so often.
func TestMatchingEndsWithTheLockHeld(t *testing.T) {
	for _, c := range []struct{ changes, unlocked int }{{0, 1}, {maxLockedChanges, 1}, {maxLockedChanges + 1, matchRounds}} {
		s := newHarness(t)
		h := s.hub
		unlocked, begun := 0, 0
		h.matcher.matching = func() {
			h.mu.Lock()
			defer h.mu.Unlock()
			if unlocked++; unlocked > 2*matchRounds {
				return
			}
			for range c.changes {
				begun++
				f := mustFilter(t, fmt.Sprintf(`{"sender": ["a", "other%d"]}`, begun))
				if _, err := h.join([]subscription{{spec: Spec{Filter: f}}}, &Session{}); err != nil {
					t.Error(err)
				}
			}
		}
		s.says(filter.Reply{Sender: "a", Code: "i"}, 0)
		if unlocked != c.unlocked || len(h.matcher.wanted) != begun || len(h.subs.changes) != 0 {
			t.Errorf("with %d new subscriptions each time it was matched %d times without the lock; %d of %d want the reply",
				c.changes, unlocked, len(h.matcher.wanted), begun)
		}
	}
}

func TestAReplyIsLookedAtOnceIfNothingHasChanged(t *testing.T) {
	h := hubWith(t, func(int) string { return `{"sender": "other"}` }, 1)
	h.Reply(benchReply(), 0, false)
	before := h.matcher.memo.Work()
	h.Reply(benchReply(), 0, false)
	if work := h.matcher.memo.Work() - before; work != 1 {
		t.Errorf("it cost %d", work)
	}
}

func TestTheMatcherFindsWhatTheFiltersSelectAsClientsComeAndGo(t *testing.T) {
	h := hubWith(t, func(i int) string {
		return []string{`{"sender": "mount", "keyword": "n*", "internal": true}`, `{"sender": "m*"}`, `{"keyword": "n"}`}[i%3]
	}, 30)
	for _, want := range []int{2, 1, 0} {
		h.Reply(benchReply(), 0, false) // the matcher learns of the changes
		h.Reply(benchReply(), 0, false)
		if got := len(h.matcher.wanted); got != want {
			t.Errorf("%d subscriptions select the reply, want %d", got, want)
		}
		for _, g := range h.groups {
			if len(h.matcher.wanted) > 0 && g.subs[0].sharedSub == h.matcher.wanted[0] {
				h.mu.Lock()
				for g.clients > 0 && h.groups[g.key] == g {
					h.leave(g)
				}
				h.mu.Unlock()
				break
			}
		}
	}
	if n := len(h.subs.changes); n > 3 {
		t.Errorf("%d changes are kept", n)
	}
}

// Clients that come and go between two replies leave nothing to do.
func TestASubscriptionThatEndsBeforeTheNextReplyIsNoChange(t *testing.T) {
	h := hubWith(t, func(int) string { return `{}` }, 1)
	h.Reply(benchReply(), 0, false)
	for i := range 100 {
		f := mustFilter(t, fmt.Sprintf(`{"sender": "a%d"}`, i))
		h.mu.Lock()
		g, err := h.join([]subscription{{spec: Spec{Filter: f}}}, &Session{})
		if err != nil {
			t.Fatal(err)
		}
		h.leave(g)
		h.mu.Unlock()
	}
	if n := len(h.subs.changes); n != 0 {
		t.Errorf("%d changes wait for a reply", n)
	}
}
