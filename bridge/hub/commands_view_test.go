package hub

import (
	"fmt"
	"testing"

	"github.com/clu-ws/clu-ws/bridge/filter"
	"github.com/clu-ws/clu-ws/internal/testkit"
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

// The reply that ends a command may be hidden from those that saw it run.
func TestACommandThatWasSeenToRunIsSeenToEnd(t *testing.T) {
	for _, c := range []struct{ hear, hide, visible, body string }{
		{`{"message_code": ["w", "e", "!", "f"]}`, "", "w", `{}`},
		{`{"keyword": "angle"}`, "", "i", `{"angle": 5}`},
		{`{"sender": "dome"}`, `{"message_code": ":"}`, "i", `{}`},
	} {
		for _, told := range []bool{true, false} { // by a notice, or else in an answer
			s := newHarness(t)
			s.hub.commands.keywords = true
			client := s.connectAs(&Viewer{View: viewOf(t, c.hear, c.hide), Own: true, Self: "name ben"})
			other := s.connectAs(&Viewer{View: viewOf(t, `{"message_code": "!"}`, "")})
			s.await(client, "hello")
			s.await(other, "hello")
			if told {
				s.ask(client, "ok", `{"op": "subscribe", "notices": ["commands"]}`)
			}
			s.sendsTold("x", "dome", "open")
			s.pass(tellEvery) // then the next reply is told at once
			s.answers("x", "dome", c.visible, c.body)
			if !told {
				s.isCommands(client, "x open ana running "+c.visible+" <nil> 1")
			}
			s.answers("x", "dome", "d", `{}`)
			s.answers("x", "dome", ":", `{}`)
			const end = "x open ana done <nil> <nil> <nil>"
			if told {
				if got := s.lastNotice(client); got != end {
					t.Errorf("hear %s, hide %s: the last notice is %q", c.hear, c.hide, got)
				}
			}
			s.isCommands(client, end)
			s.isCommands(other)
		}
	}
}

// sendsTold sends a command, of which clients have been told when it returns.
func (s *hubHarness) sendsTold(id, consumer, text string) {
	s.t.Helper()
	s.sends(id, consumer, text)
	told := make(chan bool, 1)
	s.hub.Do(func() { told <- true })
	testkit.Receive(s.t, told)
}

// lastNotice returns the last notice of a command that a client was sent.
func (s *hubHarness) lastNotice(c *recordingClient) (last string) {
	s.t.Helper()
	s.tell(c, `{"op": "ping"}`)
	for m := <-c.answers; m["op"] != "pong"; m = <-c.answers {
		if m["op"] == "command_state" {
			last = describeCommand(m["command"].(map[string]any))
		}
	}
	return last
}

func TestAnEndThatOvertakesTheAnswerIsToldAfterIt(t *testing.T) {
	s := newHarness(t)
	c := s.connect()
	s.ask(c, "ok", `{"op": "subscribe", "notices": ["commands"]}`)
	s.sendsTold("x", "dome", "open")
	request := &commandsRequest{hub: s.hub, conn: c, session: c.session, answered: func() {}}
	request.begin()
	s.answers("x", "dome", ":", `{}`)
	const end = "x open ana done : 1 1"
	if got := s.lastNotice(c); got != end {
		t.Fatalf("before the answer came %q", got)
	}
	s.stepAll(request.step)
	if got := s.await(c, "commands")["commands"].([]any)[0].(map[string]any)["state"]; got != "sent" {
		t.Fatalf("the answer says %v", got)
	}
	if got := s.lastNotice(c); got != end {
		t.Errorf("after the answer came %q", got)
	}
}
