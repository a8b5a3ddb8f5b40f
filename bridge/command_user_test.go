package bridge_test

import (
	"testing"

	"github.com/clu-ws/clu-ws/actor"
	"github.com/clu-ws/clu-ws/internal/testkit"
)

// CLU ignores headers that it does not know: its actor runs the command and answers.
func TestACLUActorRunsACommandThatNamesItsUser(t *testing.T) {
	url := testkit.RabbitMQ(t).NewVHost(t)
	testkit.CLU(t).StartActor(t, url, "lvmecp")
	g := guard(t, url, map[string]string{"ana": everything})
	tap := newPeer(t, url).hear("command.#")
	ana := g.v1("ana")
	ana.say(`{"op": "command", "id": "1", "consumer": "lvmecp", "command_string": "ping"}`)
	if m := ana.answer("result", "error"); m["status"] != "done" {
		t.Errorf("the command ends with %v", m)
	}
	equal(t, "its user", testkit.Receive(t, tap).Headers["commander_user"], any("ana"))
}

func TestAnActorLearnsWhoseCommandItRuns(t *testing.T) {
	url := embeddedBroker(t)
	g := guard(t, url, map[string]string{"ana": everything})
	tap := newPeer(t, url).hear("command.dome")
	ana, plain := g.v1("ana"), g.as("ana", "/")
	ana.say(`{"op": "command", "id": "1", "consumer": "dome", "command_string": "open"}`)
	for i, send := range []func(){
		func() {},
		func() { plain.say(`{"consumer": "dome", "command_string": "open"}`) },
		func() { g.post("ana", "/api/command", `{"consumer": "dome", "command_string": "open"}`) },
	} {
		send()
		d := testkit.Receive(t, tap)
		command, err := actor.ParseCommand(&d)
		if err != nil || command.User != "ana" {
			t.Errorf("command %d is of %q (%v)", i, command.User, err)
		}
	}
	// The failed reply to everyone does not name the user.
	heard := newPeer(t, url).hear("reply.#")
	plain.say(`{"consumer": "nobody", "command_string": "open"}`)
	if d := testkit.Receive(t, heard); d.Headers["commander_user"] != nil {
		t.Errorf("the failed reply has the headers %v", d.Headers)
	}
}

// A plain client that may not hear the failed reply to its own command is told, as by an error.
func TestASenderIsToldOfACommandToNobodyWhateverItHears(t *testing.T) {
	for grants, replies := range map[string]int{
		`{"hear": [{"sender": "dome"}], "command": [{}]}`:                              1, // the error alone
		`{"hear": [{"sender": "dome"}], "own": true, "command": [{}]}`:                 1, // the failed reply
		`{"hear": [{}], "command": [{}]}`:                                              1,
		`{"hear": [{}], "hide": [{"sender": "nobody"}], "own": true, "command": [{}]}`: 1,
		`{"hear": [{}], "hide": [{"routing_key": "reply.bridge"}], "command": [{}]}`:   1,
		`{"hear": [{"keyword": "error"}], "command": [{}]}`:                            1,
	} {
		g := guard(t, embeddedBroker(t), map[string]string{"ana": grants})
		c := g.as("ana", "/")
		c.say(`{"consumer": "nobody", "command_string": "open", "command_id": "a"}`)
		c.say("ping")
		got := 0
		for text := string(c.text()); text != "pong" || got == 0; text = string(c.text()) {
			if text == "pong" {
				c.say("ping") // the failure is still on its way
				continue
			}
			e := parseEnvelope(t, []byte(text))
			if e.code() != actor.Failed || e.header("command_id") != "a" || e.errorText() != "Failed routing message to consumer 'nobody'." {
				t.Errorf("%s: it is told %s", grants, text)
			}
			if got++; got == replies {
				c.say("ping")
			}
		}
		if got != replies {
			t.Errorf("%s: it is told %d times", grants, got)
		}
	}
}

// The reason of the broker's state may name its address and the bridge's user.
func TestOnlyAdministratorsHearWhyTheBrokerIsNotUp(t *testing.T) {
	br, url := serveBroker(t)
	g := guard(t, url, map[string]string{"ana": onlyTheDome, "eng": everything})
	ana, eng := g.v1("ana"), g.v1("eng")
	br.Close()
	if m := ana.answer("broker"); m["state"] != "down" || m["reason"] != nil {
		t.Errorf("an observer hears %v", m)
	}
	if m := eng.answer("broker"); m["state"] != "down" || m["reason"] == nil {
		t.Errorf("an administrator hears %v", m)
	}
}
