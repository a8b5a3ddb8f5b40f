package simulation

import (
	"encoding/json"
	"time"

	"github.com/clu-ws/clu-ws/amqpx"
	"github.com/clu-ws/clu-ws/bridge/engine"
	"github.com/clu-ws/clu-ws/bridge/hub"
	"github.com/clu-ws/clu-ws/bridge/protocol"
)

// The commands of everybody, as the hub tells them at the end, are compared with what became of each
// command.

// answerConn is a connection of a client that reads everything at once.
type answerConn struct{ frames chan engine.Frame }

func (c answerConn) Follow(_ hub.Log, first ...engine.Frame) { c.SendInOrder(first...) }
func (c answerConn) Send(f engine.Frame)                     { c.frames <- f }
func (c answerConn) Close(int, string)                       {}

func (c answerConn) SendInOrder(frames ...engine.Frame) {
	for _, f := range frames {
		c.frames <- f
	}
}

// toldCommand is a command as clients are told of it.
type toldCommand struct {
	State   string
	Ended   *string
	Message *string
	Replies int
}

// askForCommands returns the commands of which the hub knows, by id.
func (w *world) askForCommands() map[string]toldCommand {
	conn := answerConn{make(chan engine.Frame, 100)}
	s := hub.NewSession("bridge-reader", "10.1.1.1")
	w.hub.Greet(conn, s, &hub.ConnectRequest{Silent: true}, protocol.Hello{Op: "hello"})
	if err := w.hub.Commands(conn, s, nil); err != nil {
		w.fail("the commands are not told: %v", err)
		return nil
	}
	var m struct {
		Op       string
		Commands []struct {
			CommandID     string  `json:"command_id"`
			CommandString *string `json:"command_string"`
			toldCommand
		}
	}
	for m.Op != "commands" {
		if err := json.Unmarshal((<-conn.frames).Payload(), &m); err != nil {
			w.fail("an answer is no JSON: %v", err)
			return nil
		}
	}
	w.hub.Forget(s)
	all := map[string]toldCommand{}
	for _, c := range m.Commands {
		if c.CommandString != nil { // an actor that runs a command twice begins it again, without one
			all[c.CommandID] = c.toldCommand
		}
	}
	return all
}

// checkTold compares what is told of a command with what became of it.
func (w *world) checkTold(c *command, is toldCommand) {
	var last, end *reply // its last reply, and the one that ended it
	replies := 0
	for _, r := range w.numbered {
		if r == nil || r.commandID != c.id || end != nil {
			continue
		}
		last = r
		if replies++; r.code == ":" || r.code == "f" {
			end = r
		}
	}
	notSent := c.outcomes[0] != amqpx.Confirmed && !c.outcomes[0].InDoubt()
	want := map[bool]string{true: "done", false: "failed"}
	switch {
	case end != nil && is.State != want[end.code == ":"]:
		w.fail("%s ended by %s, and is told to be %s", c.id, end.id, is.State)
	case end == nil && is.State == "done":
		w.fail("%s has not ended, and is told to be done", c.id)
	case end == nil && is.State == "failed" && !notSent:
		w.fail("%s is %v and has not ended, and is told to have failed", c.id, c.outcomes[0])
	case end == nil && notSent && is.State != "failed":
		w.fail("%s is %v, and is told to be %s", c.id, c.outcomes[0], is.State)
	case is.Replies != replies:
		w.fail("%s has had %d replies, and is told to have had %d", c.id, replies, is.Replies)
	case (is.State == "unknown" || is.State == "failed") != (is.Message != nil):
		w.fail("%s is told to be %s for the reason %v", c.id, is.State, is.Message)
	case is.State == "sent" || is.State == "running":
		w.checkFollowed(c, last)
	}
}

// checkFollowed checks that nothing may have been missed of a command that is told to go on.
func (w *world) checkFollowed(c *command, last *reply) {
	since := c.came
	if last != nil {
		since = last.numbered
	}
	for _, e := range w.linkEvents {
		if e.gap != nil && e.at.After(since.Add(time.Microsecond)) {
			w.fail("%s is told to go on, and its end may have been missed: there was a gap %v after it was last heard of", c.id, e.at.Sub(since))
			return
		}
	}
}
