package actor

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"runtime/debug"
	"strings"
	"sync"

	"github.com/clu-ws/clu-ws/amqpx"
)

// A command's way through an actor: receive (in the link's goroutine, in order
// of arrival) -> > -> parse -> a goroutine of its own -> handler -> its end.

// running counts the commands that run.
type running struct {
	limit int
	tasks sync.WaitGroup

	// mu guards the following fields.
	mu      sync.Mutex
	count   int
	stopped bool
}

// begin takes a place, or says in words why there is none.
func (r *running) begin() (refusal string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	switch {
	case r.stopped:
		return "The actor is stopping and takes no more commands."
	case r.count >= r.limit:
		return fmt.Sprintf("The actor is busy with %d commands; try again when one of them has ended.", r.count)
	}
	r.count++
	r.tasks.Add(1)
	return ""
}

func (r *running) end() {
	r.mu.Lock()
	r.count--
	r.mu.Unlock()
	r.tasks.Done()
}

// stop turns new commands away.
func (r *running) stop() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.stopped = true
}

// receive takes a message from the commands queue.
func (a *Actor) receive(d *amqpx.Delivery) {
	if pythonTrue(d.Headers["task"]) {
		a.refuseTask(d)
		return
	}
	cmd, err := ParseCommand(d)
	c := &Call{Command: cmd, actor: a, text: cmd.CommandString}
	if err != nil {
		// The ids are in the headers: who asked is told, else everyone.
		c.Command.CommandID, _ = d.Headers["command_id"].(string)
		c.Command.CommanderID, _ = d.Headers["commander_id"].(string)
		a.log.Warn("a message is no command", "routing_key", d.RoutingKey, "commander_id", c.Command.CommanderID, "error", err)
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
	_ = json.Unmarshal(d.Body, &body) // what is no task has no name
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
		c.misused(misuse)
		return
	}
	if refusal := a.running.begin(); refusal != "" {
		c.Fail(refusal)
		return
	}
	go func() {
		defer a.running.end()
		a.run(c, h)
	}()
}

// parse splits the command string and finds its handler. The error is a
// [UsageError].
func (a *Actor) parse(c *Call) (*handler, error) {
	if c.text != "--help" && strings.Contains(c.text, "--help") {
		c.text = strings.ReplaceAll("help "+c.text, " --help", "")
	}
	words, err := splitWords(c.text)
	fields := strings.Fields(c.text)
	switch {
	case c.text == "--help":
		words = []string{"help"}
	case fields[0] == "help":
		// CLU hands over what follows as one word, whatever quotes are in it.
		words = []string{"help", strings.Join(fields[1:], " ")}
	case err != nil:
		return nil, err
	case strings.HasPrefix(words[0], "-"):
		return nil, &UsageError{"NoSuchOption", "No such option " + pythonRepr(words[0]) + "."}
	}
	h, ok := a.handlers[words[0]]
	if !ok {
		return nil, &UsageError{"NoSuchCommand", "No such command " + pythonRepr(words[0]) + "."}
	}
	c.usage, c.Args = h.usage, words[1:]
	return h, h.usage.check(c.Args)
}

// run calls a handler, and makes sure that the command ends.
func (a *Actor) run(c *Call, h *handler) {
	defer func() {
		if r := recover(); r != nil {
			a.log.Error("a command's handler panicked", "command_string", c.text, "command_id", c.Command.CommandID,
				"panic", fmt.Sprint(r), "stack", string(debug.Stack()))
			c.crashed(r)
		}
	}()
	err := h.run(a.base, c)
	var misuse *UsageError
	switch {
	case err == nil && !c.Ended():
		c.Finish(nil)
	case err == nil:
	case errors.As(err, &misuse):
		c.misused(misuse)
	case errors.Is(err, context.Canceled) && a.base.Err() != nil:
		c.lateOr(Error, "error", "This command has been cancelled.")
	default:
		c.lateOr(Error, "error", err.Error())
	}
}
