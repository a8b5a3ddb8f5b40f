package hub

import (
	"fmt"
	"testing"

	"github.com/clu-ws/clu-ws/bridge/filter"
	"github.com/clu-ws/clu-ws/bridge/protocol"
)

// noticeOf returns a message of a kind.
func noticeOf(s *hubHarness, kind Notices, actor, text string) {
	s.hub.Notice(kind, actor, protocol.Encode(map[string]string{"op": "notice", "text": text}))
}

// told compares the notices that a client got since the last call.
func (s *hubHarness) told(c *recordingClient, want ...string) {
	s.t.Helper()
	s.tell(c, `{"op": "ping"}`)
	var got []string
	for {
		m := <-c.answers
		if m["op"] == "pong" {
			break
		}
		got = append(got, fmt.Sprint(m["text"]))
	}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		s.t.Errorf("it was told %q, want %q", got, want)
	}
}

// groupOf returns a client's group once its requests are done.
func (s *hubHarness) groupOf(c *recordingClient) *group {
	s.hub.mu.Lock()
	defer s.hub.mu.Unlock()
	return c.session.group
}

func TestNoticesComeToThoseThatAskedForTheirKind(t *testing.T) {
	s := newHarness(t)
	actors, both, replies := s.connect(), s.connect(), s.connect()
	s.ask(actors, "ok", `{"op": "subscribe", "id": "n", "notices": ["actors"]}`)
	s.ask(both, "ok", `{"op": "subscribe", "id": "n", "notices": ["problems", "actors", "actors"]}`)
	s.from("dome", 0)
	noticeOf(s, protocol.NoticeActors, "dome", "a")
	noticeOf(s, protocol.NoticeProblems, "dome", "p")
	noticeOf(s, protocol.NoticeSite, "", "s")
	s.told(actors, "a")
	s.told(both, "a", "p")
	s.told(replies)
	if len(actors.replies())+len(both.replies()) != 0 || len(replies.replies()) != 1 {
		t.Error("a subscription to notices alone selects replies")
	}
	s.ask(actors, "ok", `{"op": "unsubscribe", "id": "n"}`)
	noticeOf(s, protocol.NoticeActors, "dome", "a")
	s.told(actors)
	s.hangUp(both)
	s.told(replies) // its requests are done behind those of the other
	s.hub.Do(func() {})
	g := s.groupOf(actors)
	s.hub.mu.Lock()
	defer s.hub.mu.Unlock()
	if _, ok := s.hub.noticed[g]; ok {
		t.Error("a group without notices is listed")
	}
}

func TestClientsThatAskForTheSameNoticesShareAGroup(t *testing.T) {
	s := newHarness(t)
	one, same, other := s.connect(), s.connect(), s.connect()
	s.ask(one, "ok", `{"op": "subscribe", "id": "n", "notices": ["actors", "site"], "filter": {"sender": "dome"}}`)
	s.ask(same, "ok", `{"op": "subscribe", "id": "m", "notices": ["site", "actors"], "filter": {"sender": ["dome"]}}`)
	s.ask(other, "ok", `{"op": "subscribe", "id": "n", "notices": ["site"], "filter": {"sender": "dome"}}`)
	if s.groupOf(one) != s.groupOf(same) || s.groupOf(one) == s.groupOf(other) {
		t.Error("the groups are wrong")
	}
}

func TestANoticeIsOnlyForThoseThatMayHearTheActor(t *testing.T) {
	dome := viewOf(t, `{"sender": "dome"}`, `{"sender": "nobody"}`)
	some := viewOf(t, `{"sender": "dome", "message_code": "i"}`, `{"sender": "nobody"}`)
	keyword := viewOf(t, `{"keyword": "a"}`, `{"sender": "nobody"}`)
	hidden := viewOf(t, `{}`, `{"keyword": "b"}`)
	reply := func(code string, keywords ...string) *filter.Reply {
		return &filter.Reply{Sender: "dome", Code: code, Keywords: keywords}
	}
	for _, c := range []struct {
		view        *filter.View
		actor       string
		about       *filter.Reply
		known, told bool
	}{
		{view: dome, actor: "dome", told: true},
		{view: dome, actor: "mount"},
		{view: dome, actor: "", told: true},
		{view: some, actor: "dome"}, // not all that the actor says
		{view: some, about: reply("i"), told: true},
		{view: some, about: reply("e")},
		{view: keyword, about: reply("i", "a"), known: true, told: true},
		{view: keyword, about: reply("i", "b"), known: true},
		{view: keyword, about: reply("i")},
		{view: hidden, about: reply("i", "a"), known: true, told: true},
		{view: hidden, about: reply("i", "b"), known: true},
		{view: hidden, about: reply("i")}, // it may have the keyword
	} {
		s := newHarness(t)
		bound, free := s.connectAs(&Viewer{View: c.view}), s.connect()
		s.await(bound, "hello")
		for _, client := range []*recordingClient{bound, free} {
			s.ask(client, "ok", `{"op": "subscribe", "notices": ["problems"]}`)
		}
		if c.about != nil {
			s.hub.NoticeAbout(protocol.NoticeProblems, c.about, c.known, protocol.Encode(map[string]string{"op": "notice", "text": "x"}))
		} else {
			noticeOf(s, protocol.NoticeProblems, c.actor, "x")
		}
		s.told(free, "x")
		if c.told {
			s.told(bound, "x")
		} else {
			s.told(bound)
		}
	}
}

// Whose commands are its own distinguishes what a client is told of commands, and nothing else.
func TestClientsWithDifferentNamesShareNoticesUnlessTheseAreOfTheirOwnCommands(t *testing.T) {
	s := newHarness(t)
	view := viewOf(t, `{"sender": "dome"}`, `{"sender": "nobody"}`)
	for notices, same := range map[string]bool{"problems": true, "commands": false} {
		var groups []*group
		for _, name := range []string{"ana", "ben"} {
			c := s.connectAs(&Viewer{View: view, Own: true, Self: "name " + name})
			s.await(c, "hello")
			s.ask(c, "ok", `{"op": "subscribe", "notices": ["`+notices+`"]}`)
			groups = append(groups, s.groupOf(c))
		}
		if (groups[0] == groups[1]) != same {
			t.Errorf("%s: they share a group: %v", notices, !same)
		}
	}
}
