package hub

import (
	"testing"

	"github.com/clu-ws/clu-ws/bridge/filter"
)

func TestTheCommanderMeSelectsTheRepliesToTheClientsOwnCommands(t *testing.T) {
	s := newHarness(t)
	var clients []*recordingClient
	for _, commander := range []string{`"me"`, `"me"`, `["me", "other.x"]`, `["me", "other.x"]`} {
		l := s.dialAt("/?silent=1")
		s.await(l, "hello")
		s.ask(l, "ok", `{"op": "subscribe", "id": "a", "filter": {"commander": `+commander+`}}`)
		clients = append(clients, l)
	}
	for _, from := range []int{0, 2} { // one of each kind sends a command
		id := clients[from].session.ID
		if _, err := s.hub.Inflight.Add(clients[from], CommandKey{id, "dome"}, nil); err != nil {
			t.Fatal(err)
		}
		for _, code := range []string{">", "i", ":"} {
			s.says(filter.Reply{Sender: "dome", Code: code, CommandID: id, Commander: "bridge.dome"}, 0)
		}
	}
	s.says(filter.Reply{Sender: "dome", Code: "i", CommandID: "x", Commander: "other.x"}, 0)
	s.says(filter.Reply{Sender: "dome", Code: "i"}, 0)
	for i, want := range [][]uint64{{1, 2, 3}, nil, {4, 5, 6, 7}, {7}} {
		s.hears(clients[i], want...)
		missed := s.dialAt("/?silent=1")
		s.await(missed, "hello")
		missed.session.ID = clients[i].session.ID // as if it had resumed
		s.since(missed, 0, `"id": "b", "filter": {"commander": "me"}`)
		s.await(missed, "ok")
		s.hears(missed, [][]uint64{{1, 2, 3}, nil, {4, 5, 6}, nil}[i]...)
	}
}

func TestKeywordsAreReadOnlyIfAFilterNeedsThem(t *testing.T) {
	for text, want := range map[string]bool{`{"sender": "m*"}`: false, `{"keyword": "n"}`: true} {
		h := hubWith(t, func(int) string { return text }, 1)
		for range 2 { // by a new subscription, and by a known one
			r := benchReply()
			if h.Reply(r, 0, false); r.read != want {
				t.Errorf("%s: the keywords of reply %d are read: %v", text, r.Seq, r.read)
			}
		}
	}
}
