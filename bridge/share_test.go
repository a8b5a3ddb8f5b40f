package bridge

import (
	"fmt"
	"strings"
	"testing"
)

func TestASharerIsAnAddressOrANetwork(t *testing.T) {
	for remote, want := range map[string]string{
		"192.0.2.7:80": "192.0.2.7", "[::ffff:192.0.2.7]:80": "192.0.2.7", "[2001:db8:1:2:3:4:5:6]:80": "2001:db8:1:2::/64", "[fe80::1%eth0]:80": "fe80::/64", "2001:db8:1:2:3:4:5:6": "2001:db8:1:2::/64", "192.0.2.7": "192.0.2.7", "unix": "unix", "": "",
	} {
		if got := sharer(remote); got != want {
			t.Errorf("%s: got %s, want %s", remote, got, want)
		}
	}
}

// However many addresses are greedy, one that has little gets what it asks for.
func TestThereIsRoomForOthersHoweverGreedyAnAddressIs(t *testing.T) {
	for greedy := range 20 {
		s := newShares(1000)
		for took := true; took; {
			took = false
			for i := range greedy {
				took = s.take(fmt.Sprint("greedy", i), 1, 0) || took
			}
		}
		if free := s.room - s.taken; free < 1000/(greedy+1)-1 || !s.take("honest", min(free, 5), 0) {
			t.Errorf("with %d of them %d are free", greedy, free)
		}
		for address, n := range s.by {
			s.give(address, n)
		}
		if s.taken != 0 || len(s.by) != 0 {
			t.Errorf("%d are left of %v", s.taken, s.by)
		}
	}
}

// What a client gives up counts as free: it can always change to less, or as much.
func TestAClientMayChangeWhatItHasWhenItsAddressHasNoShareLeft(t *testing.T) {
	s := newStage(t)
	full := func(n int) {
		s.hub.mu.Lock()
		defer s.hub.mu.Unlock()
		s.hub.shares.taken, s.hub.shares.by["127.0.0.1"] = s.hub.shares.taken+n, s.hub.shares.by["127.0.0.1"]+n
	}
	l := s.dialAt("/?silent=1")
	s.await(l, "hello")
	s.ask(l, "ok", `{"op": "subscribe", "id": "a", "filter": {"sender": "a"}}`)
	full(maxGroups/2 - 1)
	s.ask(l, "ok", `{"op": "subscribe", "id": "b", "filter": {"sender": "b"}}`)
	s.ask(l, "ok", `{"op": "unsubscribe", "id": "a"}`)
	other := s.dialAt("/?sender=b") // the same as another's
	s.await(other, "hello")
	s.await(other, "ok")
	const words = "the clients of your address have 5000 of the 10000 different sets of subscriptions that this bridge allows, and 5000 are free; ask for what others ask for"
	if got := s.refused(other, `{"op": "subscribe", "id": "c", "filter": {"sender": "c"}}`); !strings.Contains(got, words) {
		t.Error(got)
	}
	full(1 - maxGroups/2)
}

func TestLongFiltersAndManyRoomsWeighMore(t *testing.T) {
	s := newStage(t)
	long := subscription{wish: wish{filter: mustFilter(t, `{"sender": `+patterns(200, strings.Repeat("x", 240))+`}`)}}
	deep := subscription{wish: wish{rooms: []string{strings.Repeat("/a", 16)}}}
	for want, subs := range map[int][]subscription{1: {{wish: wish{filter: all()}}, deep}, 4: {long}, 7: {long, long}} {
		if got := weight(subs); got != want {
			t.Errorf("%d subscriptions weigh %d, want %d", len(subs), got, want)
		}
	}
	h := s.hub
	h.mu.Lock()
	defer h.mu.Unlock()
	g, err := h.enter([]subscription{long}, &session{address: "a"})
	if err != nil {
		t.Fatal(err)
	}
	if h.shares.taken != 4 || len(g.key) > 300 {
		t.Errorf("%d are taken, and the key has %d bytes", h.shares.taken, len(g.key))
	}
	if h.leave(g); h.shares.taken != 0 {
		t.Errorf("%d are left", h.shares.taken)
	}
}
