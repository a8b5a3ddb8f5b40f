package hub

import (
	"fmt"
	"testing"

	"github.com/clu-ws/clu-ws/bridge/filter"
)

func TestWhoSeesACommand(t *testing.T) {
	const name = "name ana"
	seen := map[sight]string{nothing: "nothing", itsState: "its state", lastReply: "its last reply", everyReply: "every reply"}
	command := func(code string, keywords ...string) *knownCommand {
		c := &knownCommand{commandName: commandName{"x", "bridge.dome"}, consumer: "dome", self: name}
		if code != "" {
			c.replies, c.known = 1, true
			c.last = filter.Reply{Sender: "dome", Code: code, CommandID: "x", Commander: "bridge.dome", Keywords: keywords}
		}
		return c
	}
	unknownKeywords := command("i")
	unknownKeywords.known = false
	for _, c := range []struct {
		hear, hide string
		own        bool
		self       string
		command    *knownCommand
		want       sight
	}{
		{`{"sender": "dome"}`, `{"sender": "x"}`, false, "", command(""), everyReply},
		{`{"sender": "dome"}`, `{"sender": "x"}`, false, "", command("i"), everyReply},
		{`{"sender": "mount"}`, `{"sender": "x"}`, false, "", command("i"), nothing},
		{`{"sender": "mount"}`, `{"sender": "x"}`, true, name, command("i"), lastReply},
		{`{"sender": "mount"}`, `{"sender": "x"}`, true, name, command(""), lastReply},
		{`{"sender": "mount"}`, `{"sender": "x"}`, true, "name ben", command("i"), nothing},
		{`{"sender": "mount"}`, `{"sender": "x"}`, false, name, command("i"), nothing},
		{`{"sender": "mount"}`, `{"message_code": "d"}`, true, name, command("d"), itsState},
		{`{"sender": "mount"}`, `{"keyword": "secret"}`, true, name, command("i", "secret"), itsState},
		{`{"sender": "mount"}`, `{"keyword": "secret"}`, true, name, command("i", "a"), lastReply},
		{`{"sender": "mount"}`, `{"keyword": "secret"}`, true, name, unknownKeywords, itsState},
		{`{"sender": "dome"}`, `{"message_code": "d"}`, false, "", command("i"), lastReply},
		{`{"sender": "dome"}`, `{"message_code": "d"}`, false, "", command("d"), nothing},
		{`{"sender": "dome"}`, `{"keyword": "secret"}`, false, "", unknownKeywords, nothing},
		{`{"sender": "dome"}`, `{"keyword": "secret"}`, false, "", command(""), nothing}, // its first reply may have it
		{`{"commander": "bridge.*"}`, `{"sender": "x"}`, false, "", command(""), lastReply},
		{`{"message_code": ":"}`, `{"sender": "x"}`, false, "", command(""), nothing},
	} {
		v := &Viewer{View: viewOf(t, c.hear, c.hide), Own: c.own, Self: c.self}
		if got := v.seesCommand(c.command); got != c.want {
			t.Errorf("hear %s, hide %s, own %v %q, a command with %+v: it sees %s, want %s", c.hear, c.hide, c.own, c.self, c.command.last, seen[got], seen[c.want])
		}
	}
	if (*Viewer)(nil).seesCommand(command("")) != everyReply {
		t.Error("a client without a view does not see everything")
	}
}

func TestEachClientIsToldOfTheCommandsThatItMaySee(t *testing.T) {
	s := newHarness(t)
	s.hub.commands.keywords = true
	view := viewOf(t, `{"sender": "mount"}`, `{"message_code": "d"}`)
	ana := s.connectAs(&Viewer{View: view, Own: true, Self: "name ana"})
	ben := s.connectAs(&Viewer{View: view, Own: true, Self: "name ben"})
	all := s.connect()
	for _, c := range []*recordingClient{ana, ben} {
		s.await(c, "hello")
	}
	for _, c := range []*recordingClient{ana, ben, all} {
		s.ask(c, "ok", `{"op": "subscribe", "notices": ["commands"]}`)
	}
	s.sends("x", "dome", "open")
	for c, want := range map[*recordingClient]string{ana: "x open ana sent <nil> <nil> <nil>", all: "x open ana sent <nil> 0 <nil>"} {
		if got := describeCommand(s.await(c, "command_state")["command"].(map[string]any)); got != want {
			t.Errorf("told %s, want %s", got, want)
		}
	}
	s.pass(tellEvery)
	s.answers("x", "dome", "d", `{}`)
	for c, want := range map[*recordingClient][]string{
		ana: {"x open ana running <nil> <nil> <nil>"},
		ben: nil,
		all: {"x open ana running d 1 1"},
	} {
		s.tell(c, `{"op": "ping"}`)
		var got []string
		for m := <-c.answers; m["op"] != "pong"; m = <-c.answers {
			got = append(got, describeCommand(m["command"].(map[string]any)))
		}
		if fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("told %q, want %q", got, want)
		}
	}
	s.isCommands(ana, "x open ana running <nil> <nil> <nil>")
	s.isCommands(ben)
	s.isCommands(all, "x open ana running d 1 1")
}

func TestTheCommandsBeginAnewWhenGrantsChangeMeanwhile(t *testing.T) {
	s := newHarness(t)
	c := s.connectAs(nil)
	s.await(c, "hello")
	s.sends("x", "dome", "open")
	s.sends("y", "mount", "park")
	request := &commandsRequest{hub: s.hub, conn: c, session: c.session, answered: func() {}}
	request.begin()
	s.changeNow(c, &Viewer{View: viewOf(t, `{"sender": "mount"}`, "")})
	s.stepAll(request.step)
	if m := s.await(c, "commands"); len(m["commands"].([]any)) != 1 {
		t.Errorf("the commands are %v", m)
	}
}
