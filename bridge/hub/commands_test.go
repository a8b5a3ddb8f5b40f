package hub

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/clu-ws/clu-ws/bridge/filter"
)

// sends registers a command that a client of the bridge sends.
func (s *hubHarness) sends(id, consumer, text string) {
	s.hub.CommandSent(SentCommand{CommandKey: CommandKey{id, consumer}, String: text, Client: "ana", Self: "name ana"})
}

// answers delivers a reply to a command of a client of the bridge.
func (s *hubHarness) answers(id, actor, code, body string) {
	s.saysBody(filter.Reply{Sender: actor, Code: code, CommandID: id, Commander: "bridge." + actor, RoutingKey: "reply.bridge." + actor}, body)
}

// commandsOf asks for the commands, and describes them.
func (s *hubHarness) commandsOf(c *recordingClient) (all []string) {
	s.t.Helper()
	s.tell(c, `{"op": "commands"}`)
	for _, m := range s.await(c, "commands")["commands"].([]any) {
		all = append(all, describeCommand(m.(map[string]any)))
	}
	return all
}

func describeCommand(m map[string]any) string {
	text := fmt.Sprint(m["command_id"], " ", m["command_string"], " ", m["client"], " ", m["state"], " ", m["message_code"], " ", m["replies"], " ", m["seq"])
	if m["message"] != nil {
		text += fmt.Sprint(" ", m["message"])
	}
	return text
}

// isCommands compares the commands that a client sees.
func (s *hubHarness) isCommands(c *recordingClient, want ...string) {
	s.t.Helper()
	if got := s.commandsOf(c); fmt.Sprint(got) != fmt.Sprint(want) {
		s.t.Errorf("the commands are %q\nwant %q", got, want)
	}
}

func TestACommandIsKnownFromWhenItIsSentToItsEnd(t *testing.T) {
	s := newHarness(t)
	c := s.connect()
	s.isCommands(c)
	s.sends("x", "dome", "open --fast")
	s.isCommands(c, "x open --fast ana sent <nil> 0 <nil>")
	s.pass(time.Second)
	s.answers("x", "dome", ">", `{}`)
	s.answers("x", "dome", "i", `{"text": "opening"}`)
	s.isCommands(c, "x open --fast ana running i 2 2")
	s.pass(time.Second)
	s.answers("x", "dome", ":", `{}`)
	s.answers("x", "dome", "i", `{}`) // too late
	s.isCommands(c, "x open --fast ana done : 3 3")
	s.tell(c, `{"op": "commands", "id": "k"}`)
	m := s.await(c, "commands")
	one := m["commands"].([]any)[0].(map[string]any)
	if m["id"] != "k" || one["consumer"] != "dome" || one["commander"] != "bridge.dome" || one["began"] != "1970-01-01T00:00:00.000000+00:00" || one["ended"] != "1970-01-01T00:00:02.000000+00:00" {
		t.Errorf("the answer is %v", m)
	}
	s.sends("y", "dome", "close")
	s.answers("y", "dome", "f", `{"error": "it is stuck"}`)
	s.isCommands(c, "x open --fast ana done : 3 3", "y close ana failed f 1 5 it is stuck")
}

// The replies of other commanders tell that they have sent a command, but not which.
func TestTheCommandsOfOthersAreKnownByTheirReplies(t *testing.T) {
	s := newHarness(t)
	c := s.connect()
	say := func(r filter.Reply, body string) { s.saysBody(r, body) }
	say(filter.Reply{Sender: "dome", Code: ">", CommandID: "a", Commander: "clu.x.dome.shutter"}, `{}`)
	say(filter.Reply{Sender: "mount", Code: ":", CommandID: "b", Commander: "client.elsewhere"}, `{}`)
	say(filter.Reply{Sender: "dome", Code: ":", CommandID: "timed", Commander: ".dome"}, `{}`) // of the actor's own
	say(filter.Reply{Sender: "dome", Code: "i"}, `{}`)
	s.isCommands(c, "a <nil> <nil> running > 1 1", "b <nil> <nil> done : 1 2")
	s.tell(c, `{"op": "commands"}`)
	for i, want := range []string{"dome.shutter", "mount"} {
		s.tell(c, `{"op": "commands"}`)
		if got := s.await(c, "commands")["commands"].([]any)[i].(map[string]any)["consumer"]; got != want {
			t.Errorf("the consumer is %v, want %s", got, want)
		}
	}
	s.await(c, "commands")
	// A commander that uses its id again sends another command.
	say(filter.Reply{Sender: "mount", Code: ">", CommandID: "b", Commander: "client.elsewhere"}, `{}`)
	s.isCommands(c, "a <nil> <nil> running > 1 1", "b <nil> <nil> done : 1 2", "b <nil> <nil> running > 1 5")
}

func TestACommandThatIsNotSentHasFailedAndOneInDoubtIsUnknown(t *testing.T) {
	s := newHarness(t)
	c := s.connect()
	s.sends("x", "dome", "open")
	s.hub.CommandFailed(CommandKey{"x", "dome"}, "There is no broker.", false)
	s.hub.CommandFailed(CommandKey{"x", "dome"}, "again", false)
	s.hub.CommandFailed(CommandKey{"never", "dome"}, "never sent", false)
	s.sends("y", "dome", "close")
	s.hub.CommandFailed(CommandKey{"y", "dome"}, "The link broke.", true)
	s.isCommands(c, "x open ana failed <nil> 0 <nil> There is no broker.", "y close ana unknown <nil> 0 <nil> The link broke.")
	s.answers("y", "dome", ">", `{}`) // it was sent after all
	s.isCommands(c, "x open ana failed <nil> 0 <nil> There is no broker.", "y close ana running > 1 1")
	s.answers("y", "dome", ":", `{}`)
	s.isCommands(c, "x open ana failed <nil> 0 <nil> There is no broker.", "y close ana done : 2 2")
}

func TestSeveralCommandsOfOneNameEndTogether(t *testing.T) {
	s := newHarness(t)
	c := s.connect()
	s.sends("x", "dome", "open")
	s.sends("x", "dome", "open")
	s.hub.CommandFailed(CommandKey{"x", "dome"}, "one was not sent", false)
	s.sends("x", "dome", "open")
	s.answers("x", "dome", ":", `{}`)
	s.isCommands(c, "x open ana running : 1 1")
	s.answers("x", "dome", ":", `{}`)
	s.isCommands(c, "x open ana done : 2 2")
}

func TestTheEndOfACommandThatMayHaveBeenMissedIsUnknown(t *testing.T) {
	for name, c := range map[string]struct {
		happens func(*hubHarness)
		want    string
	}{
		"a gap":                    {func(s *hubHarness) { s.hub.Missed(time.Time{}, s.clock.Now()) }, unknownGap},
		"the actor has gone":       {func(s *hubHarness) { s.hub.ActorGone("dome") }, unknownGone},
		"nothing came for an hour": {func(s *hubHarness) { s.pass(time.Hour); s.sends("z", "mount", "park") }, unknownSilent},
	} {
		s := newHarness(t)
		s.sends("x", "dome", "open")
		s.answers("x", "dome", ">", `{}`)
		c.happens(s)
		client := s.connect()
		if got := s.commandsOf(client)[0]; got != "x open ana unknown > 1 1 "+c.want {
			t.Errorf("%s: %s", name, got)
		}
		s.answers("x", "dome", ":", `{}`)
		if got := s.commandsOf(client)[0]; got != "x open ana done : 2 2" {
			t.Errorf("%s, and then its end: %s", name, got)
		}
	}
}

func TestAnotherActorThatHasGoneMakesNothingUnknown(t *testing.T) {
	s := newHarness(t)
	s.sends("x", "dome.shutter", "open")
	s.hub.ActorGone("mount")
	s.isCommands(s.connect(), "x open ana sent <nil> 0 <nil>")
}

func TestACommandWithoutARecentReplyIsFollowedForAnHourAfterTheLast(t *testing.T) {
	s := newHarness(t)
	c := s.connect()
	s.sends("long", "dome", "expose")
	for range 5 {
		s.pass(50 * time.Minute)
		s.answers("long", "dome", "i", `{}`)
		s.sends("other", "mount", "park")
		s.answers("other", "mount", ":", `{}`)
	}
	if got := s.commandsOf(c)[0]; !strings.HasPrefix(got, "long expose ana running i 5") {
		t.Errorf("it is %s", got)
	}
}

func TestTheCommandsThatAreKnownAreBounded(t *testing.T) {
	s := newHarness(t)
	c := s.connect()
	for n := range maxRunning + 1 {
		s.sends(fmt.Sprint("r", n), "dome", strings.Repeat("é", maxCommandText))
	}
	all := s.commandsOf(c)
	if len(all) != maxRunning+1 || !strings.HasSuffix(all[0], "unknown <nil> 0 <nil> "+unknownMany) {
		t.Errorf("%d commands; the first is %s", len(all), all[0])
	}
	if n := strings.Count(all[1], "é"); n != maxCommandText/2 {
		t.Errorf("of a long command %d letters are kept", n)
	}
	s.tell(c, `{"op": "commands"}`)
	if m := s.await(c, "commands")["commands"].([]any)[1].(map[string]any); m["cut"] != true {
		t.Errorf("it does not say that it is cut: %v", m["cut"])
	}
	for n := range maxRunning {
		s.answers(fmt.Sprint("r", n), "dome", ":", `{}`)
	}
	if all = s.commandsOf(c); len(all) != maxEnded+1 {
		t.Errorf("%d commands are kept", len(all))
	}
	if g := s.hub.commands; len(g.all) != maxEnded+1 {
		t.Errorf("%d names are kept", len(g.all))
	}
}

func TestAStreamsPastTellsOfItsCommands(t *testing.T) {
	s := newHarness(t)
	s.pass(time.Hour)
	s.hub.loading = true
	for seq, code := range []string{">", ":"} {
		r := &Reply{Reply: filter.Reply{Sender: "dome", Code: code, CommandID: "x", Commander: "clu.dome"}, Plain: []byte("xxxxxxxxxxxxxx{}"), BodyAt: 14}
		if r.Sent = time.Unix(60, 0); code == ">" {
			r.Sent = time.Time{} // its message has no time
		}
		s.hub.Reply(r, uint64(seq+1), true)
	}
	s.hub.Live()
	c := s.connect()
	s.tell(c, `{"op": "commands"}`)
	m := s.await(c, "commands")["commands"].([]any)[0].(map[string]any)
	if m["began"] != nil || m["ended"] != "1970-01-01T00:01:00.000000+00:00" || m["state"] != "done" {
		t.Errorf("it is %v", m)
	}
}

func TestThoseThatAskedAreToldHowCommandsGoOn(t *testing.T) {
	s := newHarness(t)
	c, other := s.connect(), s.connect()
	s.ask(c, "ok", `{"op": "subscribe", "notices": ["commands"]}`)
	told := func(want string) {
		t.Helper()
		if m := s.await(c, "command_state"); describeCommand(m["command"].(map[string]any)) != want {
			t.Errorf("told %v, want %s", m, want)
		}
	}
	s.sends("x", "dome", "open")
	told("x open ana sent <nil> 0 <nil>")
	s.answers("x", "dome", ">", `{}`) // soon after that
	s.answers("x", "dome", "i", `{}`)
	s.told(c)
	s.pass(tellEvery)
	told("x open ana running i 2 2")
	s.pass(time.Minute)
	s.answers("x", "dome", "i", `{}`)
	told("x open ana running i 3 3")
	for range 100 {
		s.answers("x", "dome", "i", `{}`)
	}
	s.pass(tellEvery)
	told("x open ana running i 103 103")
	s.answers("x", "dome", "f", `{"error": "no"}`) // an end is told at once
	told("x open ana failed f 104 104 no")
	s.answers("z", "mount", ">", `{}`)
	told("z <nil> <nil> running > 1 105")
	s.answers("z", "mount", "i", `{}`)
	s.answers("z", "mount", ":", `{}`)
	told("z <nil> <nil> done : 3 107")
	s.pass(time.Second)
	s.told(c) // nothing twice
	s.sends("y", "dome", "open")
	told("y open ana sent <nil> 0 <nil>")
	s.hub.Missed(time.Time{}, s.clock.Now())
	s.await(c, "gap")
	told("y open ana unknown <nil> 0 <nil> " + unknownGap)
	s.answers("y", "dome", ">", `{}`)
	s.pass(tellEvery)
	told("y open ana running > 1 108")
	s.hub.ActorGone("dome")
	told("y open ana unknown > 1 108 " + unknownGone)
	s.await(other, "gap")
	s.told(other)
	if s.clock.Timers() != 0 {
		t.Errorf("%d timers run", s.clock.Timers())
	}
	s.ask(c, "ok", `{"op": "unsubscribe"}`)
	s.hub.mu.Lock() // held until the former group is left, after the answer
	defer s.hub.mu.Unlock()
	if n := s.hub.commandGroups.Load(); n != 0 {
		t.Errorf("%d groups are told of commands", n)
	}
}

func TestAReplyToAKnownCommandAllocatesNothing(t *testing.T) {
	s := newHarness(t)
	s.sends("x", "mount", "slew")
	r := &Reply{Reply: filter.Reply{Sender: "mount", Code: "i", CommandID: "x", Commander: "bridge.mount"}, body: []byte(`{}`)}
	s.hub.commands.heard(r, s.clock.Now())
	if n := testing.AllocsPerRun(100, func() { s.hub.commands.heard(r, s.clock.Now()) }); n != 0 {
		t.Errorf("it allocates %v times", n)
	}
}
