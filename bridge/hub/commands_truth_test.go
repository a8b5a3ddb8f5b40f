package hub

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/clu-ws/clu-ws/bridge/engine"
	"github.com/clu-ws/clu-ws/bridge/filter"
)

// Commands that are not followed any more go on when a reply comes. However many do, the others make
// room.
func TestCommandsThatGoOnAreBounded(t *testing.T) {
	s := newHarness(t)
	say := func(id int, code string) {
		s.saysBody(filter.Reply{Sender: "dome", Code: code, CommandID: fmt.Sprint(id), Commander: "x.dome", RoutingKey: "reply.x.dome"}, `{}`)
	}
	g := s.hub.commands
	for i := range 5 * maxRunning {
		say(i, ">")
		for back := maxRunning; back <= min(i, maxRunning+maxEnded/2); back++ {
			if c := g.all[commandName{fmt.Sprint(i - back), "x.dome"}]; c != nil && c.state == commandUnknown {
				say(i-back, "i")
			}
		}
	}
	if g.running.Len() > maxRunning || g.ended.Len() > maxEnded || len(g.all) > maxRunning+maxEnded {
		t.Errorf("%d are running and %d have ended; %d are known", g.running.Len(), g.ended.Len(), len(g.all))
	}
}

func TestACommandOfWhichNothingIsHeardIsUnknownAlthoughNoOtherBegins(t *testing.T) {
	s := newHarness(t)
	c := s.connect()
	s.sends("x", "dome", "open")
	s.answers("x", "dome", ">", `{}`)
	s.pass(followFor - time.Second)
	s.hub.ExpireCommands()
	s.isCommands(c, "x open ana running > 1 1")
	s.pass(time.Second)
	s.hub.ExpireCommands()
	s.isCommands(c, "x open ana unknown > 1 1 "+unknownSilent)
}

// Its confirm may stay away, but an actor that answers has got it.
func TestACommandThatWasAnsweredIsNotInDoubt(t *testing.T) {
	s := newHarness(t)
	c := s.connect()
	s.sends("x", "dome", "open")
	s.answers("x", "dome", ">", `{}`)
	s.hub.CommandFailed(CommandKey{"x", "dome"}, "the outcome is not known", true)
	s.isCommands(c, "x open ana running > 1 1")
	s.hub.CommandFailed(CommandKey{"x", "dome"}, "the queue was full", false)
	s.isCommands(c, "x open ana failed > 1 1 the queue was full")
}

// Replies that waited at the broker have the times of their messages, in whole seconds, or none.
func TestTheEndOfACommandIsNeverBeforeItsBeginning(t *testing.T) {
	s := newHarness(t)
	c := s.connect()
	s.pass(1900 * time.Millisecond)
	for id, sent := range map[string]time.Time{"early": time.Unix(1, 0), "none": {}} {
		s.sends(id, "dome", "open")
		r := filter.Reply{Sender: "dome", Code: ":", CommandID: id, Commander: "bridge.dome"}
		s.hub.Reply(&Reply{Reply: r, Plain: append(make([]byte, engine.MaxHeaderSize), `{"body": {}}`...), BodyAt: engine.MaxHeaderSize + len(`{"body": `), Past: true, Sent: sent}, 0, false)
	}
	s.tell(c, `{"op": "commands"}`)
	for _, one := range s.await(c, "commands")["commands"].([]any) {
		m := one.(map[string]any)
		want := any(nil)
		if m["command_id"] == "early" {
			want = m["began"]
		}
		if m["state"] != "done" || m["ended"] != want {
			t.Errorf("%v ended at %v, want %v", m, m["ended"], want)
		}
	}
}

// No command has such an id, but a program that publishes replies may invent it.
func TestCommandsWithLongNamesAreNotKept(t *testing.T) {
	s := newHarness(t)
	c := s.connect()
	s.saysBody(filter.Reply{Sender: "dome", Code: ">", CommandID: strings.Repeat("x", 100_000), Commander: "x.dome"}, `{}`)
	s.isCommands(c)
}
