package actor

import (
	"fmt"
	"strings"
	"sync"
	"time"
)

// Call is one command that an actor runs. Its methods may be called from any goroutine;
// replies leave in the order of the calls. The methods block while the actor writes faster
// than the broker reads.
type Call struct {
	// Command is the command as received.
	Command Command
	// Args are the arguments after the command's name, without options.
	Args []string

	actor   *Actor
	usage   *usage
	options map[string]string // by name with hyphens; "" for a flag
	// text is the command string as CLU's replies quote it.
	text string

	// mu guards the following fields, and keeps replies in order.
	mu         sync.Mutex
	ended      bool
	lateLogged bool // a reply after the end was logged
}

// Info replies with keywords. Like [Call.Debug], [Call.Warning] and [Call.Error],
// it does not end the command.
func (c *Call) Info(k Keywords) { c.Reply(Info, k) }

// Debug replies with keywords for debugging.
func (c *Call) Debug(k Keywords) { c.Reply(Debug, k) }

// Warning replies with keywords that an observer should see.
func (c *Call) Warning(k Keywords) { c.Reply(Warning, k) }

// Error replies that something went wrong; the command goes on.
func (c *Call) Error(k Keywords) { c.Reply(Error, k) }

// Finish ends the command successfully.
func (c *Call) Finish(k Keywords) { c.Reply(Done, k) }

// Fail ends the command with the reason, a whole sentence.
func (c *Call) Fail(reason string) { c.Reply(Failed, Keywords{"error": reason}) }

// Reply replies with any code. A command ends once: a second end is logged and not sent. A
// reply after the end is sent, as in CLU, and logged once, since its commander no longer
// follows the command. Keywords that JSON cannot hold make the command fail (see
// [Keywords]).
func (c *Call) Reply(code Code, k Keywords) { c.reply(code, k, c.Command.Internal) }

// Ended reports whether the command has had its last reply.
func (c *Call) Ended() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.ended
}

// start replies that the command runs. As in CLU, that reply is always internal.
func (c *Call) start() { c.reply(Running, nil, true) }

func (c *Call) reply(code Code, k Keywords, internal bool) {
	body, err := c.actor.encoder.encode(k, c.attrs()...)
	if err != nil {
		code, body = Failed, marshal(Keywords{"error": "The reply cannot be written as JSON: " + err.Error() + "."})
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case code.Ends() && c.ended:
		c.actor.log.Warn("a command was ended twice; the second end is not sent", append(c.attrs(), "code", string(code))...)
		return
	case code.Ends():
		c.ended = true
	case c.ended && !c.lateLogged:
		c.lateLogged = true
		c.actor.log.Warn("a command replied after its end, when its commander no longer follows it", append(c.attrs(), "code", string(code))...)
	}
	c.actor.publisher.send(Reply{
		Code:        code,
		Sender:      c.actor.name,
		CommandID:   c.Command.CommandID,
		CommanderID: c.Command.CommanderID,
		Internal:    internal,
		Body:        body,
		Time:        time.Now(),
	})
}

// attrs identifies the command in the log.
func (c *Call) attrs() []any {
	return []any{"command_string", c.text, "command_id", c.Command.CommandID}
}

// failUsage ends a command that does not match its usage, in CLU's words.
func (c *Call) failUsage(err *UsageError) {
	if c.Ended() {
		c.logFailureAfterEnd(err.Error())
	}
	c.Warning(Keywords{"help": strings.Split(err.Error(), "\n")})
	c.failOrReply(Error, "error", fmt.Sprintf("Command %s does not exist or cannot be parsed.", pythonRepr(c.text)))
}

// failText ends a command whose handler failed.
func (c *Call) failText(text string) {
	if c.Ended() {
		c.logFailureAfterEnd(text)
	}
	c.failOrReply(Error, "error", text)
}

// failPanic ends a command whose handler panicked, in CLU's words.
func (c *Call) failPanic(panicked any) {
	c.failOrReply(Info, "text", fmt.Sprintf("Command %s failed because of an uncaught error 'panic: %v'. See traceback in the log for more information.",
		pythonRepr(c.text), panicked))
}

// failOrReply fails the command with the text or, if it has already ended, sends the text
// in a reply that ends nothing, as CLU does.
func (c *Call) failOrReply(code Code, keyword, text string) {
	c.mu.Lock()
	ended := c.ended
	c.lateLogged = c.lateLogged || ended // the caller has logged why
	c.mu.Unlock()
	if ended {
		c.Reply(code, Keywords{keyword: text})
		return
	}
	c.Fail(text)
}

// logFailureAfterEnd logs an error that the commander does not see, since its
// command has ended; the replies that follow are not logged as well.
func (c *Call) logFailureAfterEnd(text string) {
	c.mu.Lock()
	c.lateLogged = true
	c.mu.Unlock()
	c.actor.log.Warn("a handler failed after it had ended its command", append(c.attrs(), "error", text)...)
}
