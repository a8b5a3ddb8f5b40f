package hub

import (
	"strings"
	"testing"
)

// The quota that a client gives up counts as free: it can always change to subscriptions of
// the same weight or less.
func TestAClientMayChangeItsSubscriptionsWhenItsQuotaIsUsedUp(t *testing.T) {
	s := newHarness(t)
	full := func(n int) {
		s.hub.mu.Lock()
		defer s.hub.mu.Unlock()
		if !s.hub.shares.Take("127.0.0.1", n, 0) {
			t.Fatalf("there is no room for %d", n)
		}
	}
	l := s.dialAt("/?silent=1")
	s.await(l, "hello")
	s.ask(l, "ok", `{"op": "subscribe", "id": "a", "filter": {"sender": "a"}}`)
	full(maxGroups/2 - 1)
	s.ask(l, "ok", `{"op": "subscribe", "id": "b", "filter": {"sender": "b"}}`)
	s.ask(l, "ok", `{"op": "unsubscribe", "id": "a"}`)
	other := s.dialAt("/?sender=b") // the same subscription as another client's
	s.await(other, "hello")
	s.await(other, "ok")
	const words = "the clients of your address have 5000 of the 10000 different sets of subscriptions that this bridge allows, and 5000 are free; ask for what others ask for"
	if got := s.refused(other, `{"op": "subscribe", "id": "c", "filter": {"sender": "c"}}`); !strings.Contains(got, words) {
		t.Error(got)
	}
}

func TestLongFiltersAndManyRoomsWeighMore(t *testing.T) {
	s := newHarness(t)
	long := subscription{spec: Spec{Filter: mustFilter(t, `{"sender": `+patterns(200, strings.Repeat("x", 240))+`}`)}}
	deep := subscription{spec: Spec{Rooms: []string{strings.Repeat("/a", 16)}}}
	for want, subs := range map[int][]subscription{1: {{spec: Spec{Filter: all()}}, deep}, 4: {long}, 7: {long, long}} {
		if got := weight(subs); got != want {
			t.Errorf("%d subscriptions weigh %d, want %d", len(subs), got, want)
		}
	}
	h := s.hub
	h.mu.Lock()
	defer h.mu.Unlock()
	g, err := h.join([]subscription{long}, &Session{address: "a"})
	if err != nil {
		t.Fatal(err)
	}
	if h.shares.Taken() != 4 || len(g.key) > 300 {
		t.Errorf("%d are taken, and the key has %d bytes", h.shares.Taken(), len(g.key))
	}
	if h.leave(g); h.shares.Taken() != 0 {
		t.Errorf("%d are left", h.shares.Taken())
	}
}
