package hub

import (
	"fmt"
	"testing"
	"time"

	"github.com/clu-ws/clu-ws/bridge/filter"
	"github.com/clu-ws/clu-ws/bridge/protocol"
)

// viewOf returns a view that hears what one filter selects and hides what another does, unless that
// is "".
func viewOf(t testing.TB, hear, hide string) *filter.View {
	t.Helper()
	var hidden []*filter.Filter
	if hide != "" {
		hidden = append(hidden, mustFilter(t, hide))
	}
	return filter.NewView([]*filter.Filter{mustFilter(t, hear)}, hidden)
}

// enter connects a client that may hear what a viewer says.
func (s *hubHarness) enter(target string, v *Viewer) *recordingClient {
	s.t.Helper()
	l := s.dialAs(target, v)
	if v != nil {
		l.self = v.Self
	}
	s.await(l, "hello")
	return l
}

// sendsAs registers a command of a client to the actor b, and returns its reply with a code.
func (s *hubHarness) sendsAs(l Client, id string) (reply func(code, body string)) {
	s.t.Helper()
	if _, err := s.hub.Inflight.Add(l, CommandKey{id, "b"}, nil); err != nil {
		s.t.Fatal(err)
	}
	return func(code, body string) {
		s.saysBody(filter.Reply{Sender: "b", Code: code, CommandID: id, Commander: "bridge.b"}, body)
	}
}

func TestAResultTellsOfRepliesThatTheClientMayNotHearOnlyTheStatus(t *testing.T) {
	hidden := func(own bool, hide string) *Viewer {
		return &Viewer{View: viewOf(t, `{"sender": "a"}`, hide), Own: own, Self: "x"}
	}
	for name, c := range map[string]struct {
		viewer                 *Viewer
		code, message, replies any
	}{
		"everything":        {nil, "f", "no power", 2.0},
		"another actor":     {hidden(false, ""), nil, nil, 0.0},
		"its own":           {hidden(true, ""), "f", "no power", 2.0},
		"its own, hidden":   {hidden(true, `{"sender": "b"}`), nil, nil, 0.0},
		"the last is not":   {&Viewer{View: viewOf(t, `{"message_code": "i"}`, "")}, nil, nil, 1.0},
		"only the last is":  {&Viewer{View: viewOf(t, `{"message_code": "f"}`, "")}, "f", "no power", 1.0},
		"a keyword selects": {&Viewer{View: viewOf(t, `{"keyword": "error"}`, "")}, "f", "no power", 1.0},
	} {
		s := newHarness(t)
		l := s.enter("/?silent=1", c.viewer)
		id := "q"
		if _, err := s.hub.Inflight.Add(l, CommandKey{id, "b"}, s.hub.ResultWaiter(l, l.session, &id)); err != nil {
			t.Fatal(err)
		}
		s.saysBody(filter.Reply{Sender: "b", Code: "i", CommandID: id, Commander: "bridge.b"}, `{"n": 1}`)
		s.saysBody(filter.Reply{Sender: "b", Code: "f", CommandID: id, Commander: "bridge.b"}, `{"error": "no power"}`)
		m := s.await(l, "result")
		if m["status"] != "failed" || m["message_code"] != c.code || m["message"] != c.message || m["replies"] != c.replies {
			t.Errorf("%s: the result is %v", name, m)
		}
	}
}

func TestOnlyThoseWhoMayHearTheReasonAreToldWhyTheBrokerIsAway(t *testing.T) {
	s := newHarness(t)
	admin, viewer, all := s.enter("/", &Viewer{Detailed: true}), s.enter("/", &Viewer{}), s.enter("/", nil)
	s.hub.Linked("up", "")
	for _, l := range []*recordingClient{admin, viewer, all} {
		s.await(l, "broker")
	}
	s.hub.Linked("down", "dial 10.0.0.1: refused")
	for l, want := range map[*recordingClient]any{admin: "dial 10.0.0.1: refused", viewer: nil, all: "dial 10.0.0.1: refused"} {
		if m := s.await(l, "broker"); m["state"] != "down" || m["reason"] != want {
			t.Errorf("it is told %v, want the reason %v", m, want)
		}
	}
	s.hub.SetViewer(viewer.session, &Viewer{Detailed: true}, protocol.Encode(protocol.OK{Op: "changed"}))
	s.await(viewer, "changed")
	s.hub.Linked("blocked", "low on memory")
	if m := s.await(viewer, "broker"); m["reason"] != "low on memory" {
		t.Errorf("after its grants grew it is told %v", m)
	}
}

func TestASubscriptionToARoomThatIsLostEndsAndTheOthersGoOn(t *testing.T) {
	s := newHarness(t)
	only := func(rooms ...string) *Viewer {
		return &Viewer{Rooms: func(path string) bool {
			for _, r := range rooms {
				if r == path {
					return true
				}
			}
			return false
		}}
	}
	l := s.enter("/?silent=1", only("/a", "/b"))
	s.ask(l, "ok", `{"op": "subscribe", "id": "one", "rooms": ["/a"]}`)
	s.ask(l, "ok", `{"op": "subscribe", "id": "two", "rooms": ["/b"]}`)
	s.ask(l, "ok", `{"op": "subscribe", "rooms": ["/a", "/b"]}`)
	s.ask(l, "ok", `{"op": "subscribe", "id": "replies", "filter": {"sender": "a"}}`)
	s.tell(l, `{"op": "subscribe", "id": "no", "rooms": ["/c"]}`)
	if m := s.await(l, "error"); m["code"] != "forbidden" || m["id"] != "no" {
		t.Errorf("a room that it may not hear: %v", m)
	}
	s.hub.SetViewer(l.session, only("/a"), protocol.Encode(protocol.OK{Op: "changed"}))
	s.await(l, "changed")
	for _, want := range []any{"two", nil} {
		if m := s.await(l, "unsubscribed"); m["id"] != want || m["code"] != "forbidden" {
			t.Errorf("it is told %v, want the end of %v", m, want)
		}
	}
	s.hub.Broadcast("/b", protocol.Encode(protocol.OK{Op: "b"}))
	s.hub.Broadcast("/a", protocol.Encode(protocol.OK{Op: "a"}))
	s.await(l, "a")
	s.from("a", 0)
	s.hears(l, 1)
	s.ask(l, "ok", `{"op": "unsubscribe", "id": "one"}`)
	s.refused(l, `{"op": "unsubscribe", "id": "two"}`)
}

func TestARoomIsCheckedAgainWhenASubscriptionBegins(t *testing.T) {
	s := newHarness(t)
	l := s.enter("/?silent=1", nil)
	s.hub.mu.Lock() // the request waits
	s.tell(l, `{"op": "subscribe", "id": "x", "rooms": ["/a"]}`)
	l.session.viewer.Store(&Viewer{Rooms: func(string) bool { return false }})
	s.hub.mu.Unlock()
	if m := s.await(l, "error"); m["code"] != "forbidden" {
		t.Error(m)
	}
}

func TestWhatIsPendingIsDiscardedIfTheClientMayHearItNoMore(t *testing.T) {
	s := newHarness(t)
	l := s.enter("/?silent=1", nil)
	s.ask(l, "ok", `{"op": "subscribe", "id": "slow", "throttle_ms": 1000}`)
	for range 2 {
		for _, sender := range []string{"a", "b"} {
			s.saysBody(filter.Reply{Sender: sender, Code: "i"}, `{"`+sender+`": 1}`)
		}
	}
	s.hub.SetViewer(l.session, &Viewer{View: viewOf(t, `{"keyword": "a"}`, "")}, protocol.Encode(protocol.OK{Op: "changed"}))
	s.await(l, "changed")
	s.hears(l, 1, 2, 3) // and not 4
	s.pass(time.Hour)
	s.hears(l, 1, 2, 3)
}

func TestTheInitialSubscriptionStaysSuchWhenGrantsChange(t *testing.T) {
	s := newHarness(t)
	l := s.enter("/", nil)
	s.hub.SetViewer(l.session, &Viewer{View: viewOf(t, `{}`, `{"sender": "b"}`)}, protocol.Encode(protocol.OK{Op: "changed"}))
	s.await(l, "changed")
	s.from("a", 0)
	s.from("b", 0)
	s.ask(l, "ok", `{"op": "subscribe", "id": "c", "filter": {"sender": "c"}}`)
	s.from("a", 0)
	s.from("c", 0)
	s.hears(l, 1, 4)
}

func TestAClientIsRegroupedAlthoughItsAddressHasNoQuotaLeft(t *testing.T) {
	s := newHarness(t)
	one, two := s.enter("/", nil), s.enter("/", nil)
	s.hub.mu.Lock()
	s.hub.shares.Take("127.0.0.1", maxGroups/2-1, 0)
	s.hub.mu.Unlock()
	s.hub.SetViewer(one.session, &Viewer{View: viewOf(t, `{"sender": "a"}`, "")}, protocol.Encode(protocol.OK{Op: "changed"}))
	s.await(one, "changed")
	s.from("a", 0)
	s.from("b", 0)
	s.hears(one, 1)
	s.hears(two, 1, 2)
	taken := s.hub.shares.Taken()
	s.leaves(one)
	if now := s.hub.shares.Taken(); now != taken {
		t.Errorf("a group without quota gave back %d", taken-now)
	}
}

func TestACommandIsItsPrincipalsOnAllConnectionsAndAfterItsEnd(t *testing.T) {
	s := newHarness(t)
	viewer := &Viewer{View: viewOf(t, `{"sender": "a"}`, ""), Own: true, Self: "x"}
	var clients []*recordingClient
	for range 3 {
		clients = append(clients, s.enter("/", viewer))
	}
	other := s.enter("/", &Viewer{View: viewer.View, Own: true, Self: "y"})
	without := s.enter("/", &Viewer{View: viewer.View, Self: "x"})
	none := s.enter("/?sender=c", viewer)
	s.await(none, "ok")
	reply := s.sendsAs(clients[0], "1")
	reply(">", `{}`)
	s.leaves(clients[0]) // its command goes on
	reply(":", `{}`)
	for l, want := range map[*recordingClient][]uint64{clients[1]: {1, 2}, clients[2]: {1, 2}, other: nil, without: nil, none: nil} {
		s.hears(l, want...)
	}
	s.hub.mu.Lock()
	defer s.hub.mu.Unlock()
	if n := len(s.hub.selves["x"]); n != 3 {
		t.Errorf("%d sessions hear what is their own, want 3", n)
	}
	if len(s.hub.groups) != 3 { // those that share what they may hear, the one without its own, and none
		t.Errorf("there are %d groups", len(s.hub.groups))
	}
}

func TestOwnRepliesAreNotThrottledAndFollowOlderOnesOfTheirActor(t *testing.T) {
	s := newHarness(t)
	l := s.enter("/?silent=1", &Viewer{View: viewOf(t, `{"message_code": "i"}`, ""), Own: true, Self: "x"})
	s.ask(l, "ok", `{"op": "subscribe", "id": "slow", "throttle_ms": 1000}`)
	s.saysBody(filter.Reply{Sender: "b", Code: "i"}, `{}`)
	s.saysBody(filter.Reply{Sender: "b", Code: "i"}, `{}`) // pending
	reply := s.sendsAs(l, "1")
	reply("w", `{}`)
	reply("w", `{}`)
	s.pass(time.Second)
	s.hears(l, 1, 2, 3, 4)
}

func TestResumingTellsOfOwnRepliesToTheSamePrincipal(t *testing.T) {
	s := newHarness(t)
	viewer := func(self string, hide string) *Viewer {
		return &Viewer{View: viewOf(t, `{"sender": "a"}`, hide), Own: true, Self: self}
	}
	reply := s.sendsAs(s.enter("/?silent=1", viewer("x", "")), "1")
	reply("i", `{}`)
	s.from("a", 0)
	reply(":", `{"secret": 1}`)
	for name, c := range map[string]struct {
		viewer *Viewer
		want   []uint64
	}{
		"the same":     {viewer("x", ""), []uint64{1, 2, 3}},
		"another":      {viewer("y", ""), []uint64{2}},
		"a hidden one": {viewer("x", `{"keyword": "secret"}`), []uint64{1, 2}},
	} {
		l := s.enter(fmt.Sprintf("/?since=%s:0", s.hub.Epoch), c.viewer)
		s.await(l, "ok")
		t.Log(name)
		s.hears(l, c.want...)
	}
}

func TestManyChangesOfGrantsAreForgottenAndWhatWasHeardThenComesAgain(t *testing.T) {
	s := newHarness(t)
	l := s.enter("/", nil)
	s.from("a", 0)
	for i := range maxFormerViewers + 1 {
		s.hub.SetViewer(l.session, &Viewer{View: viewOf(t, `{"sender": "a"}`, fmt.Sprintf(`{"sender": "b%d"}`, i))})
		s.done()
		s.from("a", 0)
	}
	s.since(l, 0, `"id": "again"`)
	s.await(l, "ok")
	last := uint64(maxFormerViewers + 2)
	var want []uint64
	for seq := uint64(1); seq <= last; seq++ {
		want = append(want, seq)
	}
	s.hears(l, append(want, 1)...)
}
