package actor

import (
	"fmt"
	"strings"
	"sync"
	"time"
)

// Call is one command that an actor runs. Its methods may be called from any
// goroutine; replies leave in the order of the calls. They wait while the actor
// writes faster than the broker takes.
type Call struct {
	// Command is what was received.
	Command Command
	// Args are the words behind the command's name.
	Args []string

	actor *Actor
	usage usage
	// text is the command string as CLU's replies quote it.
	text string

	// mu guards the following field, and keeps replies in order.
	mu    sync.Mutex
	ended bool
}

// Info, Debug, Warning and Error reply with keywords; none of them ends the
// command.
func (c *Call) Info(k Keywords) { c.Reply(Info, k) }

// Debug replies with keywords for those who look closely.
func (c *Call) Debug(k Keywords) { c.Reply(Debug, k) }

// Warning replies with keywords that somebody should see.
func (c *Call) Warning(k Keywords) { c.Reply(Warning, k) }

// Error replies that something went wrong; the command goes on.
func (c *Call) Error(k Keywords) { c.Reply(Error, k) }

// Finish ends the command well.
func (c *Call) Finish(k Keywords) { c.Reply(Done, k) }

// Fail ends the command with the reason, a whole sentence.
func (c *Call) Fail(reason string) { c.Reply(Failed, Keywords{"error": reason}) }

// Reply replies with any code. A command ends once: a second end is logged and
// not sent.
func (c *Call) Reply(code Code, k Keywords) { c.reply(code, k, c.Command.Internal) }

// Ended tells whether the command has had its last reply.
func (c *Call) Ended() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.ended
}

// start tells the commander that the command runs: always internal, as CLU has it.
func (c *Call) start() { c.reply(Running, nil, true) }

func (c *Call) reply(code Code, k Keywords, internal bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if code.Ends() {
		if c.ended {
			c.actor.log.Warn("a command was ended twice; the second end is not sent", "command_string", c.text,
				"command_id", c.Command.CommandID, "code", string(code))
			return
		}
		c.ended = true
	}
	c.actor.out.send(Reply{
		Code:        code,
		Sender:      c.actor.name,
		CommandID:   c.Command.CommandID,
		CommanderID: c.Command.CommanderID,
		Internal:    internal,
		Body:        k.body(),
		Time:        time.Now(),
	})
}

// misused ends a command that the actor cannot make sense of, in CLU's words.
func (c *Call) misused(err *UsageError) {
	c.Warning(Keywords{"help": strings.Split(err.Error(), "\n")})
	c.lateOr(Error, "error", fmt.Sprintf("Command %s does not exist or cannot be parsed.", pythonRepr(c.text)))
}

// crashed ends a command whose handler panicked, in CLU's words.
func (c *Call) crashed(panicked any) {
	c.lateOr(Info, "text", fmt.Sprintf("Command %s failed because of an uncaught error 'panic: %v'. See traceback in the log for more information.",
		pythonRepr(c.text), panicked))
}

// lateOr fails the command with the text or, if it has ended already, says it
// with a code and keyword that end nothing.
func (c *Call) lateOr(code Code, keyword, text string) {
	if c.Ended() {
		c.Reply(code, Keywords{keyword: text})
		return
	}
	c.Fail(text)
}
