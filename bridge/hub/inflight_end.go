package hub

import (
	"strings"

	"github.com/clu-ws/clu-ws/actor"
)

// commandMatch is the result of matching a reply with the commands in flight.
type commandMatch struct {
	owner  *Session // of the command that it answers; nil unless that is a v1 client's
	self   string   // [Client.Self] of the command's sender
	waiter Waiter   // nil unless the reply ends an awaited command
	end    CommandEnd
}

// replied finds the command that a reply answers, and drops it if the reply is its last. It
// runs for every reply, so it does a single lookup and allocates nothing.
func (f *Inflight) replied(r *Reply) (a commandMatch) {
	if r.CommandID == "" {
		return commandMatch{}
	}
	consumer, ok := strings.CutPrefix(r.Commander, f.prefix)
	if !ok || !actor.Receives(r.Sender, consumer) {
		return commandMatch{}
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	c := f.commands[CommandKey{r.CommandID, consumer}]
	if c == nil {
		return commandMatch{}
	}
	a.self, r.self = c.self, c.self
	if c.caller.client != nil {
		a.owner = c.caller.client.Session()
	}
	heard := c.waiter != nil && c.waiter.Viewer().hearsOwn(r)
	if heard {
		c.replies++
		c.waiter.Gather(r)
	}
	if !r.ends() {
		return a
	}
	if c.sent--; c.sent > 0 {
		return a
	}
	a.waiter = f.detach(c)
	a.end = endOf(c, r, heard, f.now())
	c.ended = true
	f.drop(c)
	return a
}

// Ended reports whether a command has had its last reply. The reply may come before the confirm
// of the command, and then shows what a lost confirm leaves in doubt.
func (f *Inflight) Ended(c *Command) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return c.ended
}

// GiveUp removes and returns a command's waiter, and the end to report to it. The waiter is nil
// if the command no longer has one. Later replies still belong to the command.
func (f *Inflight) GiveUp(c *Command, why string) (w Waiter, e CommandEnd) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.detach(c), timeoutOf(c, f.now(), why)
}

// Failed is called when a command was not sent. If that is in doubt, replies may still come,
// and the command keeps its id. Failed reports whether the command still had a waiter.
func (f *Inflight) Failed(c *Command, inDoubt bool) (waited bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.commands[c.CommandKey] != c {
		return false
	}
	waited = f.detach(c) != nil
	if inDoubt {
		return waited
	}
	if c.sent--; c.sent == 0 {
		f.drop(c)
	}
	return waited
}

// Len returns the number of commands.
func (f *Inflight) Len() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return len(f.commands)
}

// Awaited returns the number of commands whose end is awaited.
func (f *Inflight) Awaited() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.awaited
}

// onEvict tells the waiter of an evicted command. It runs on the engine's loops, which must not
// wait for the hub.
func (h *Hub) onEvict(e evicted) {
	if e.http {
		e.waiter.End(e.ending)
		return
	}
	h.queue.submitUrgent(func() {
		h.mu.Lock()
		defer h.mu.Unlock()
		e.waiter.End(e.ending)
	})
}
