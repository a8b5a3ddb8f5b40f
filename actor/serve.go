package actor

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"runtime/debug"
	"strings"

	"github.com/clu-ws/clu-ws/amqpx"
)

// The path of a command through an actor:
//
//	in the link's goroutine, in order of arrival     in a goroutine of its own
//	receive ──► reply ">" ──► dispatch ──► parse ──► run ──► handler ──► last reply

// receive takes a message from the commands queue.
func (a *Actor) receive(d *amqpx.Delivery) {
	if pythonTrue(d.Headers["task"]) {
		a.refuseTask(d)
		return
	}
	cmd, err := ParseCommand(d)
	c := &Call{Command: cmd, actor: a, text: cmd.CommandString}
	if err != nil {
		// The reply goes to the commander if the headers name one, else to all.
		c.Command.CommandID, _ = d.Headers["command_id"].(string)
		c.Command.CommanderID, _ = d.Headers["commander_id"].(string)
		a.log.Warn("a message on the commands queue is not a command", "routing_key", d.RoutingKey, "commander_id", c.Command.CommanderID, "error", err)
		c.Fail("Could not parse the message as a command: " + err.Error())
		return
	}
	if !cmd.NoLog {
		a.log.Info("command", "command_string", cmd.CommandString, "command_id", cmd.CommandID, "commander_id", cmd.CommanderID)
	}
	if strings.TrimSpace(cmd.CommandString) == "" {
		c.Finish(nil)
		return
	}
	c.start()
	a.dispatch(c)
}

// refuseTask answers CLU's other kind of message, which has no command string
// and expects no replies, as an actor without task handlers does.
func (a *Actor) refuseTask(d *amqpx.Delivery) {
	var body struct{ Task *string }
	_ = json.Unmarshal(d.Body, &body) // without a name, CLU says None
	name := "None"
	if body.Task != nil {
		name = pythonRepr(*body.Task)
	}
	a.Broadcast(Error, Keywords{"error": "Unknown task " + name})
}

// dispatch finds the command's handler and runs it.
func (a *Actor) dispatch(c *Call) {
	h, err := a.parse(c)
	var misuse *UsageError
	if errors.As(err, &misuse) {
		c.failUsage(misuse)
		return
	}
	if refusal := a.limiter.acquire(); refusal != "" {
		c.Fail(refusal)
		return
	}
	go func() {
		defer a.limiter.release()
		a.run(c, h)
	}()
}

// parse splits the command string, finds its handler and sorts its arguments. The
// error is a [UsageError].
func (a *Actor) parse(c *Call) (*handler, error) {
	words, err := a.split(c)
	if err != nil {
		return nil, err
	}
	if strings.HasPrefix(words[0], "-") {
		return nil, &UsageError{"NoSuchOption", "No such option " + pythonRepr(words[0]) + "."}
	}
	h, ok := a.handlers[words[0]]
	if !ok {
		return nil, &UsageError{"NoSuchCommand", "No such command " + pythonRepr(words[0]) + "."}
	}
	args, err := h.usage.parse(words[1:])
	c.usage, c.Args, c.options = &h.usage, args.positional, args.options
	return h, err
}

// split splits the command string, which is not blank, into words. As in CLU, a
// --help anywhere asks for the help of the command, and what follows help is one
// argument, whatever quotes and hyphens are in it.
func (a *Actor) split(c *Call) ([]string, error) {
	if c.text == "--help" {
		return []string{"help"}, nil
	}
	if strings.Contains(c.text, "--help") {
		c.text = strings.ReplaceAll("help "+c.text, " --help", "")
	}
	if fields := strings.Fields(c.text); fields[0] == "help" {
		return []string{"help", "--", strings.Join(fields[1:], " ")}, nil
	}
	return splitShlex(c.text)
}

// run calls a handler, and makes sure that the command ends.
func (a *Actor) run(c *Call, h *handler) {
	defer func() {
		if r := recover(); r != nil {
			a.log.Error("a command's handler panicked", append(c.attrs(), "panic", fmt.Sprint(r), "stack", string(debug.Stack()))...)
			c.failPanic(r)
		}
	}()
	err := h.run(a.base, c)
	var misuse *UsageError
	switch {
	case err == nil && !c.Ended():
		c.Finish(nil)
	case err == nil:
	case errors.As(err, &misuse):
		c.failUsage(misuse)
	case errors.Is(err, context.Canceled) && a.base.Err() != nil:
		c.failText("This command has been cancelled.")
	default:
		c.failText(err.Error())
	}
}
