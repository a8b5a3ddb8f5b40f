package wsclient

import (
	"context"
	"fmt"
	"maps"
	"time"
	"unicode/utf8"

	"github.com/google/uuid"
)

const (
	defaultExpires = 5 * time.Second
	maxExpires     = time.Hour
)

// Send sends a command, once, and returns at once. Without a connection the command is Rejected: it is never kept for
// later. If the context is done, the command is Rejected, too; a deadline of the context shortens Expires. To wait for
// the end, use [Command.Wait].
func (c *Client) Send(ctx context.Context, consumer, commandString string, options SendOptions) *Command {
	if options.Expires <= 0 {
		options.Expires = defaultExpires
	}
	if deadline, ok := ctx.Deadline(); ok {
		options.Expires = min(options.Expires, time.Until(deadline))
	}
	id := options.ID
	if id == "" {
		id = uuid.NewString()
	}
	command := &Command{
		ID: id, Consumer: consumer, String: commandString, SentAt: time.Now(), client: c, state: Sent,
		done: make(chan struct{}), final: make(chan struct{}), changed: make(chan struct{}),
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	s := c.session
	code, problem := c.problemWith(s, command, options)
	if ctx.Err() != nil {
		code, problem = "", "its context is done"
	}
	if problem != "" {
		c.own.reject(command, code, unsent(problem))
		return command
	}
	c.own.active[id] = command
	if s.v1 {
		c.sendTracked(s, command, options)
	} else {
		c.sendPlain(s, command, options)
	}
	if options.Timeout > 0 {
		command.mu.Lock()
		command.timer = time.AfterFunc(options.Expires+options.Timeout, func() { c.giveUp(command, options.Timeout) })
		command.mu.Unlock()
	}
	return command
}

// problemWith returns why a command cannot be sent, and the code of that; "" if it can.
func (c *Client) problemWith(s *session, command *Command, o SendOptions) (code, problem string) {
	switch {
	case s == nil || !s.greeted:
		return "", "there is no connection to the bridge"
	case command.Consumer == "":
		return "bad_request", "the consumer is empty"
	case !utf8.ValidString(command.Consumer) || !utf8.ValidString(command.String) || !utf8.ValidString(command.ID):
		return "bad_request", "it is not UTF-8"
	case o.Expires > maxExpires:
		return "bad_request", fmt.Sprintf("it expires after %v; write an hour at most", o.Expires)
	case o.Timeout > maxExpires:
		return "bad_request", fmt.Sprintf("its timeout is %v; write an hour at most, or leave it out", o.Timeout)
	case o.Expires <= 0:
		return "expired", "it has expired"
	case c.own.find(command.ID) != nil:
		return "in_use", fmt.Sprintf("a command with the id %.60q is in flight, or its end is not known", command.ID)
	case len(s.outbox) >= maxOutbox:
		return "full", "too many messages wait for the connection"
	}
	return "", ""
}

// reject ends a command that was never one of the client's.
func (o *ownReplies) reject(c *Command, code, text string) {
	c.state, c.ended = Rejected, true
	c.err = &CommandError{State: Rejected, Code: code, Message: text, Command: c}
	close(c.done)
	close(c.final)
	if hook := o.client.cfg.OnCommand; hook != nil {
		o.client.hooks.add(func() { hook(c, Rejected) })
	}
}

// sendTracked sends a command to a bridge, which reports its end.
func (c *Client) sendTracked(s *session, command *Command, o SendOptions) {
	command.mu.Lock()
	command.commander = c.hello.Name + "." + command.Consumer
	command.mu.Unlock()
	command.request = c.newID("command")
	c.own.subscribe(s)
	fields := map[string]any{
		"op": "command", "consumer": command.Consumer, "command_string": command.String, "command_id": command.ID,
		"id": command.request,
	}
	if c.clock.known() {
		fields["expires_at"] = c.clock.now().Add(o.Expires).UTC().Format("2006-01-02T15:04:05.000000Z")
	}
	if o.Timeout > 0 {
		fields["timeout_ms"] = milliseconds(o.Timeout)
	}
	if o.Extra != nil {
		fields["extra"] = maps.Clone(o.Extra)
	}
	command.doubted = o.ID != ""
	s.pending[command.request] = &request{op: "command", asked: time.Now(), answered: func(m *message, err error) bool {
		switch {
		case m == nil:
			return false // disconnected has told it
		case m.Op != "error" && m.CommandID != command.ID:
			return true // not the bridge's word: a message of a room, which may look like anything
		case err != nil:
			command.doubted = false
			c.own.refused(command, m.Code, m.Message)
			return false
		case m.Op == "result":
			c.own.lane.other(result{command, m})
			return false
		default:
			command.doubted = false // the bridge keeps its id for it from now on
			return true
		}
	}}
	s.queue(outgoing{text: encode(fields), command: command, expires: command.SentAt.Add(o.Expires)})
}

// sendPlain sends a command to CLU's own server.
func (c *Client) sendPlain(s *session, command *Command, o SendOptions) {
	fields := map[string]any{"consumer": command.Consumer, "command_string": command.String, "command_id": command.ID}
	s.queue(outgoing{text: encode(fields), command: command, expires: command.SentAt.Add(o.Expires)})
}

// giveUp ends the wait for a command. One that has not left yet does not leave any more.
func (c *Client) giveUp(command *Command, timeout time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case !command.State().Active():
	case !command.written:
		c.own.set(command, Rejected, &CommandError{Code: "expired", Message: unsent("it has waited too long for the connection")})
	default:
		c.own.set(command, Unknown, &CommandError{Code: codeTimeout,
			Message: fmt.Sprintf("unknown: no final reply within %v; the actor may still be executing it", timeout)})
	}
}
