package hub

import (
	"fmt"
	"slices"
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
	toShutter := command("")
	toShutter.commander, toShutter.consumer = "bridge.dome.shutter", "dome.shutter"
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
		{`{}`, `{"sender": "dome"}`, false, "", toShutter, nothing}, // dome takes it, too
		{`{}`, `{"sender": "dome.shutter"}`, false, "", toShutter, nothing},
		{`{}`, `{"sender": "dome"}`, true, name, toShutter, itsState},
		{`{"sender": ["dome", "dome.shutter"]}`, `{"sender": "x"}`, false, "", toShutter, everyReply},
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

// A client that hears only some replies to a command of another must not take it to be running for ever.
func TestACommandWhoseEndIsHiddenDoesNotSeemToRunForEver(t *testing.T) {
	for name, c := range map[string]struct {
		hear, hide string
		told       []string
	}{
		"the end is hidden":        {`{}`, `{"message_code": ":"}`, []string{"sent", "running", "unknown"}},
		"by a keyword":             {`{}`, `{"keyword": "secret"}`, []string{"running", "unknown"}},
		"only the first was heard": {`{"message_code": ">"}`, `{"sender": "x"}`, []string{"sent", "running", "unknown"}},
		"all of it is hidden":      {`{"sender": "mount"}`, `{"sender": "x"}`, nil},
		"all but the end":          {`{"message_code": ":"}`, `{"sender": "x"}`, []string{"done"}},
	} {
		s := newHarness(t)
		s.hub.commands.keywords = true
		ben := s.connectAs(&Viewer{View: viewOf(t, c.hear, c.hide), Own: true, Self: "name ben"})
		s.await(ben, "hello")
		s.ask(ben, "ok", `{"op": "subscribe", "notices": ["commands"]}`)
		s.sends("x", "dome", "open")
		var got []string
		states := func() {
			s.done() // it is told on the queue
			s.tell(ben, `{"op": "ping"}`)
			for m := <-ben.answers; m["op"] != "pong"; m = <-ben.answers {
				one := m["command"].(map[string]any)
				got = append(got, one["state"].(string))
				if one["state"] == "unknown" && (one["message"] != unknownHidden || one["message_code"] != nil || one["seq"] != nil || one["ended"] != nil) {
					t.Errorf("%s: told %v", name, one)
				}
			}
		}
		states()
		for _, reply := range [][2]string{{">", `{}`}, {"i", `{"other": 1}`}, {":", `{"secret": 1}`}} {
			s.pass(tellEvery)
			s.answers("x", "dome", reply[0], reply[1])
			states()
		}
		if c.told == nil && got == nil {
			continue
		}
		if got = slices.Compact(got); fmt.Sprint(got) != fmt.Sprint(c.told) {
			t.Errorf("%s: told %q, want %q", name, got, c.told)
		}
		s.isCommands(ben, map[bool][]string{true: {"x open ana done : <nil> 3"}}[name == "all but the end"]...)
	}
}

// What a client asked for counts as told, too.
func TestACommandThatWasListedAndWhoseEndIsHiddenIsToldToHaveEnded(t *testing.T) {
	s := newHarness(t)
	ben := s.connectAs(&Viewer{View: viewOf(t, `{}`, `{"message_code": ":"}`)})
	s.await(ben, "hello")
	s.sends("x", "dome", "open")
	s.answers("x", "dome", ">", `{}`)
	s.ask(ben, "ok", `{"op": "subscribe", "notices": ["commands"]}`)
	s.isCommands(ben, "x open ana running > <nil> 1")
	s.answers("x", "dome", ":", `{}`)
	if m := s.await(ben, "command_state")["command"].(map[string]any); m["state"] != "unknown" || m["message"] != unknownHidden {
		t.Errorf("told %v", m)
	}
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
