package hub

import (
	"slices"
	"time"

	"github.com/clu-ws/clu-ws/bridge/engine"
	"github.com/clu-ws/clu-ws/bridge/protocol"
)

// tellEvery is how often clients are told of the replies to one command. They are told at once that
// it has begun or ended.
const tellEvery = 250 * time.Millisecond

// SentCommand is a command that a client of this bridge sends.
type SentCommand struct {
	CommandKey
	String string
	Client string // the client's user, or else its id; "" has neither
	Self   string // [Client.Self]
}

// CommandSent makes a command known that is about to be sent. It never blocks.
func (h *Hub) CommandSent(c SentCommand) {
	h.tellSoon(h.commands.sentHere(c, h.Time()))
}

// CommandFailed makes known that a command was not sent, or may not have been, and why. It never
// blocks.
func (h *Hub) CommandFailed(key CommandKey, message string, inDoubt bool) {
	h.tellSoon(h.commands.failedHere(key, message, inDoubt, h.Time()))
}

// ActorGone says that nobody takes an actor's commands any longer: of those that run, no end will
// come.
func (h *Hub) ActorGone(name string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.commands.mu.Lock()
	changed := h.commands.doubt(func(c *knownCommand) bool {
		return c.consumer == name || c.replies > 0 && c.last.Sender == name
	}, unknownGone)
	h.commands.mu.Unlock()
	h.tellCommands(changed)
}

// ExpireCommands ends the commands of which nothing was heard for long, looking at a few. It never
// blocks, and is called every second.
func (h *Hub) ExpireCommands() {
	g := h.commands
	g.mu.Lock()
	changed := g.expire(h.Time())
	g.mu.Unlock()
	h.tellSoon(changed)
}

// missedCommands makes the state of running commands unknown, because their last replies may have been
// lost. mu is held.
func (h *Hub) missedCommands() {
	h.commands.mu.Lock()
	changed := h.commands.doubt(func(*knownCommand) bool { return true }, unknownGap)
	h.commands.mu.Unlock()
	h.tellCommands(changed)
}

// noteCommand takes a reply into account. It is called without the lock.
func (h *Hub) noteCommand(d *delivery) {
	if d.CommandID == "" {
		return
	}
	changed := h.commands.heard(d.Reply, h.Time())
	if len(changed) == 0 || h.commandGroups.Load() == 0 {
		return
	}
	if changed = h.commands.due(h, changed, d.at); len(changed) > 0 {
		h.mu.Lock()
		defer h.mu.Unlock()
		h.tellCommands(changed)
	}
}

// due returns those of the commands of which clients are told now. Of the others they are told soon.
func (g *commandRegistry) due(h *Hub, changed []*knownCommand, now time.Time) (due []*knownCommand) {
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, c := range changed {
		switch {
		case c.state.ended() || c.told.IsZero() || now.Sub(c.told) >= tellEvery || now.Before(c.told):
			due = append(due, c)
		case !c.dirty:
			c.dirty = true
			g.dirty = append(g.dirty, c)
		}
	}
	if len(g.dirty) > 0 && !g.waiting {
		g.waiting = true
		h.after(tellEvery, func() {
			g.mu.Lock()
			dirty := slices.DeleteFunc(g.dirty, func(c *knownCommand) bool { return !c.dirty }) // told meanwhile
			g.dirty, g.waiting = nil, false
			g.mu.Unlock()
			h.mu.Lock()
			defer h.mu.Unlock()
			h.tellCommands(dirty)
		})
	}
	return due
}

// tellSoon tells clients of commands on the queue's goroutine, of all together that have changed by
// then. It may be called on the engine's loops.
func (h *Hub) tellSoon(changed []*knownCommand) {
	if len(changed) == 0 || h.commandGroups.Load() == 0 {
		return
	}
	g := h.commands
	g.mu.Lock()
	queued := len(g.soon) > 0
	g.soon = append(g.soon, changed...)
	g.mu.Unlock()
	if queued {
		return
	}
	h.Do(func() {
		g.mu.Lock()
		soon := g.soon
		g.soon = nil
		g.mu.Unlock()
		h.mu.Lock()
		defer h.mu.Unlock()
		h.tellCommands(soon)
	})
}

// tellCommands tells those that asked for notices, and may know, what commands are like now. What they
// are like is read with the lock held, so that a later message never has an earlier state. mu is
// held.
func (h *Hub) tellCommands(changed []*knownCommand) {
	if len(changed) == 0 || h.loading || h.commandGroups.Load() == 0 {
		return
	}
	for _, c := range changed {
		h.commands.mu.Lock()
		c.told, c.dirty = h.now(), false
		now := c.copied()
		h.commands.mu.Unlock()
		var frames [everyReply + 1]engine.Frame
		for g := range h.noticed {
			if g.notices&protocol.NoticeCommands == 0 {
				continue
			}
			s := g.viewer.seesCommand(now)
			if s == nothing {
				continue
			}
			if frames[s] == nil {
				frames[s] = protocol.Encode(protocol.CommandState{Op: "command_state", Command: now.describe(s)})
			}
			g.log.Append(frames[s])
		}
	}
}
