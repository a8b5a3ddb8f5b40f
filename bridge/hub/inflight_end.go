package hub

import (
	"strings"

	"github.com/clu-ws/clu-ws/actor"
)

// match is the result of matching a reply with the commands in flight.
type match struct {
	owner  *Session // of the command that it answers; nil unless that is a v1 client's
	waiter Waiter   // nil unless the reply ends an awaited command
	end    CommandEnd
}

// replied matches a reply with its command, and drops the command at its last reply. It
// runs for every reply: it does one lookup and allocates nothing.
func (f *Inflight) replied(r *Reply) (a match) {
	if r.CommandID == "" {
		return match{}
	}
	consumer, ok := strings.CutPrefix(r.Commander, f.prefix)
	if !ok || !actor.Receives(r.Sender, consumer) {
		return match{}
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	c := f.commands[CommandKey{r.CommandID, consumer}]
	if c == nil {
		return match{}
	}
	c.replies++
	if c.caller.client != nil {
		a.owner = c.caller.client.Session()
	}
	if c.waiter != nil {
		c.waiter.Gather(r)
	}
	if !r.ends() {
		return a
	}
	if c.sent--; c.sent > 0 {
		return a
	}
	a.waiter = f.detach(c)
	a.end = endOf(c, r, f.now())
	f.drop(c)
	return a
}

// GiveUp removes and returns a command's waiter. Later replies still belong to the
// command.
func (f *Inflight) GiveUp(c *Command, why string) (w Waiter, e CommandEnd) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.detach(c), timeoutOf(c, f.now(), why)
}

// Failed notes that a command failed to be sent. If that is in doubt, replies may still
// come, and the command keeps its id. It reports whether the command still had a
// waiter.
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

// onEvict tells the waiter of a command that was evicted. It runs on the engine's
// loops, which must not wait for the hub.
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
