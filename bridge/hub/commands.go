package hub

import (
	"container/list"
	"strings"
	"sync"
	"time"

	"github.com/clu-ws/clu-ws/actor"
	"github.com/clu-ws/clu-ws/bridge/filter"
)

// Bounds of the commands that are known.
const (
	maxRunning     = 1000      // that have not ended
	maxEnded       = 200       // the last ones
	maxCommandText = 1 << 10   // bytes of a command string
	maxKnownNames  = 4 << 10   // bytes of the keywords of a last reply
	maxCommandName = 1 << 10   // bytes of id, commander and sender: those of CLU have less
	followFor      = time.Hour // without a reply
)

// commandState is how far a command has come.
type commandState string

const (
	commandSent    commandState = "sent"    // no reply has come yet
	commandRunning commandState = "running" // a reply has come, but not the last one
	commandDone    commandState = "done"
	commandFailed  commandState = "failed"
	commandUnknown commandState = "unknown" // its end was missed, or may never come
)

func (s commandState) ended() bool { return s != commandSent && s != commandRunning }

// The reasons why the state of a command is unknown.
const (
	unknownGap    = "replies may have been lost while it ran: it may have ended"
	unknownGone   = "the actor has gone while it ran"
	unknownSilent = "nothing was heard of it for an hour"
	unknownMany   = "it is not followed any more: too many commands are running"
)

// commandName identifies a command to all clients of the exchange.
type commandName struct{ id, commander string }

// knownCommand is a command that runs or has ended, whoever sent it. Its fields are guarded by
// [commandRegistry].mu.
type knownCommand struct {
	commandName
	consumer string
	text     *string // the command string; nil if another commander sent it
	cut      bool    // the text is not all of it
	client   string  // who sent it to this bridge; "" is not known
	self     string  // [Client.Self] of the sender
	sent     int     // how many commands of the same name it stands for
	state    commandState
	began    time.Time // zero is not known
	ended    time.Time
	active   time.Time // when it was sent, or last heard of
	message  string    // why it failed, or its state is not known
	replies  int

	last  filter.Reply // the last reply
	known bool         // it has its keywords
	seq   uint64       // its number

	place *list.Element // in running or ended
	told  time.Time     // when clients were last told of it
	dirty bool          // it has changed since
}

// commandRegistry holds the commands that run and the last ones that have ended, of all commanders:
// those that clients of this bridge sent, with their texts, and the others as far as their replies
// tell. Unlike [Inflight], it decides nothing.
type commandRegistry struct {
	prefix   string // of commander ids: the bridge's name and a dot
	keywords bool   // clients may have views, which may test the keywords of a reply

	scratch []*knownCommand // used by heard, which handles one reply at a time

	// mu guards the following fields. Nothing blocks while it is held.
	mu      sync.Mutex
	all     map[commandName]*knownCommand
	running list.List // of *knownCommand
	ended   list.List // the one that ended last is at the back
	dirty   []*knownCommand
	waiting bool            // a timer will tell of those
	soon    []*knownCommand // the queue will tell of these
}

func newCommandRegistry(name string, keywords bool) *commandRegistry {
	return &commandRegistry{prefix: name + ".", keywords: keywords, all: map[commandName]*knownCommand{}}
}

// begin adds a command that runs, and returns those that are not followed any more because of it. mu
// is held.
func (g *commandRegistry) begin(c *knownCommand, now time.Time) (changed []*knownCommand) {
	changed = append(g.expire(now), g.run(c)...)
	g.all[c.commandName] = c
	return append(changed, c)
}

// run puts a command among those that run, and returns those that are not followed any more because of
// it. mu is held.
func (g *commandRegistry) run(c *knownCommand) (changed []*knownCommand) {
	for g.running.Len() >= maxRunning {
		oldest := g.running.Front().Value.(*knownCommand)
		g.end(oldest, commandUnknown, unknownMany, time.Time{})
		changed = append(changed, oldest)
	}
	c.place = g.running.PushBack(c)
	return changed
}

// expire ends the commands of which nothing was heard for long, looking at a few. mu is held.
func (g *commandRegistry) expire(now time.Time) (changed []*knownCommand) {
	const most = 16
	for range min(most, g.running.Len()) {
		c := g.running.Front().Value.(*knownCommand)
		if now.Sub(c.active) < followFor {
			g.running.MoveToBack(c.place)
			continue
		}
		g.end(c, commandUnknown, unknownSilent, time.Time{})
		changed = append(changed, c)
	}
	return changed
}

// end moves a command to those that have ended. at is zero if that is not known. mu is held.
func (g *commandRegistry) end(c *knownCommand, state commandState, message string, at time.Time) {
	g.running.Remove(c.place)
	c.state, c.message, c.ended = state, message, at
	c.place = g.ended.PushBack(c)
	if g.ended.Len() > maxEnded {
		g.forget(g.ended.Front().Value.(*knownCommand))
	}
}

// forget forgets a command that has ended. mu is held.
func (g *commandRegistry) forget(c *knownCommand) {
	g.ended.Remove(c.place)
	if g.all[c.commandName] == c {
		delete(g.all, c.commandName)
	}
}

// doubt makes the state of running commands unknown, and returns them. mu is held.
func (g *commandRegistry) doubt(which func(*knownCommand) bool, why string) (changed []*knownCommand) {
	for e := g.running.Front(); e != nil; {
		c := e.Value.(*knownCommand)
		if e = e.Next(); which(c) {
			g.end(c, commandUnknown, why, time.Time{})
			changed = append(changed, c)
		}
	}
	return changed
}

// sentHere adds a command that a client of this bridge is about to send, or one more of the same name.
func (g *commandRegistry) sentHere(c SentCommand, now time.Time) (changed []*knownCommand) {
	g.mu.Lock()
	defer g.mu.Unlock()
	text, cut := cutText(c.String, maxCommandText)
	name := commandName{strings.Clone(c.ID), g.prefix + c.Consumer}
	known := g.all[name]
	if known == nil || known.state.ended() {
		known = &knownCommand{commandName: name, consumer: strings.Clone(c.Consumer), state: commandSent, began: now}
		changed = g.begin(known, now)
	} else {
		changed = []*knownCommand{known}
	}
	known.text, known.cut, known.client, known.self, known.active = &text, cut, c.Client, c.Self, now
	known.sent++
	return changed
}

// failedHere notes that a command was not sent, or may not have been.
func (g *commandRegistry) failedHere(key CommandKey, message string, inDoubt bool, now time.Time) (changed []*knownCommand) {
	g.mu.Lock()
	defer g.mu.Unlock()
	c := g.all[commandName{key.ID, g.prefix + key.Consumer}]
	if c == nil || c.state.ended() || inDoubt && c.replies > 0 && c.sent == 1 {
		return nil // a command that was answered was sent
	}
	if c.sent--; c.sent > 0 {
		return nil
	}
	if inDoubt {
		g.end(c, commandUnknown, message, time.Time{})
	} else {
		g.end(c, commandFailed, message, now)
	}
	return []*knownCommand{c}
}

// heard takes a reply to a command, and returns the commands that have changed, in memory that the
// next call uses again.
func (g *commandRegistry) heard(r *Reply, now time.Time) (changed []*knownCommand) {
	if r.CommandID == "" || r.Commander == "" || r.Commander[0] == '.' || r.Aside {
		return nil
	}
	if len(r.CommandID)+len(r.Commander)+len(r.Sender) > maxCommandName {
		return nil
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	c := g.all[commandName{r.CommandID, r.Commander}]
	switch {
	case c == nil || c.state.ended() && c.state != commandUnknown && r.Code == string(actor.Running):
		if r.Unroutable {
			return nil
		}
		c = &knownCommand{
			commandName: commandName{strings.Clone(r.CommandID), strings.Clone(r.Commander)},
			consumer:    consumerOf(r), sent: 1, state: commandRunning, began: knownTime(r),
		}
		changed = append(g.scratch[:0], g.begin(c, now)...)
	case c.state == commandUnknown: // it goes on, or has ended, after all
		g.ended.Remove(c.place)
		changed = append(append(g.scratch[:0], g.run(c)...), c)
		c.sent, c.state, c.message, c.ended = 1, commandRunning, "", time.Time{}
	case c.state.ended():
		return nil
	default:
		changed = append(g.scratch[:0], c)
	}
	g.scratch = changed
	g.take(c, r, now)
	return changed
}

// take takes a reply to a running command. mu is held.
func (g *commandRegistry) take(c *knownCommand, r *Reply, now time.Time) {
	c.state = commandRunning
	c.replies++
	c.seq, c.active = r.Seq, r.heard
	at := knownTime(r)
	if at.IsZero() {
		c.active = now
	} else if at.Before(c.began) {
		at = c.began // the time of a message is in seconds, or its sender's clock is behind
	}
	g.keep(c, r)
	if !r.ends() {
		return
	}
	if c.sent--; c.sent > 0 {
		return
	}
	if !r.fails() {
		g.end(c, commandDone, "", at)
		return
	}
	g.end(c, commandFailed, reasonOf(r.body), at)
}

// keep keeps what views test of the last reply. Its strings may be parts of longer ones. mu is held.
func (g *commandRegistry) keep(c *knownCommand, r *Reply) {
	last := &c.last
	last.CommandID, last.Commander, last.Internal = c.id, c.commander, r.Internal
	for _, s := range []struct {
		to   *string
		text string
	}{{&last.Sender, r.Sender}, {&last.RoutingKey, r.RoutingKey}, {&last.Code, r.Code}} {
		if *s.to != s.text {
			*s.to = strings.Clone(s.text)
		}
	}
	if !g.keywords {
		return
	}
	c.known = false
	if len(r.body) > maxKnownNames {
		last.Keywords = nil
		return
	}
	dup := filter.Reply{Keywords: last.Keywords}
	r.withKeywords(&dup)
	last.Keywords, c.known = dup.Keywords, true
}

// consumerOf returns the consumer of the command that a reply answers. A commander id is
// <client>.<consumer>, and both may have dots.
func consumerOf(r *Reply) string {
	for at := strings.IndexByte(r.Commander, '.'); at >= 0; {
		consumer := r.Commander[at+1:]
		if actor.Receives(r.Sender, consumer) {
			return strings.Clone(consumer)
		}
		next := strings.IndexByte(consumer, '.')
		if next < 0 {
			break
		}
		at += 1 + next
	}
	return strings.Clone(r.Sender)
}
