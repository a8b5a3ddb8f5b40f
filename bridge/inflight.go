package bridge

import (
	"sync"
	"time"
)

// Bounds of the commands in flight.
const (
	maxInflight       = 100_000   // in all
	maxInflightClient = 256       // awaited ones of one client, and as many others
	forgetAfter       = time.Hour // for those that nobody awaits
	longestWait       = time.Hour
)

// inflight is the registry of the commands in flight: those sent, or about to be, that
// have not ended, with their callers and waiters. Every command is in it: plain,
// tracked, or over HTTP. It decides which command a reply answers.
//
// A reply answers a command if it has the command's id, the commander
// <bridge>.<consumer> of the command, and a sender that runs commands to that consumer.
// So two commands with the same id may be in flight if their consumers differ. They
// must belong to one client: two clients could not tell their replies apart.
type inflight struct {
	prefix  string           // of commander ids: the bridge's name and a dot
	now     func() time.Time // time.Now
	onEvict func(evicted)    // tells the waiter of an evicted command

	// mu guards the following fields and everything they point to. It is never held
	// while waiting.
	mu       sync.Mutex
	commands map[commandKey]*command
	ids      map[string]idUse // of connected clients
	callers  map[*client]*caller
	shares   map[string]*share
	largest  ranking[*share] // the first has the most commands
	calls    map[*command]struct{}
	oldest   *command // head of the list by age
	newest   *command
}

// commandKey is the part of a reply that names the command it answers.
type commandKey struct{ id, consumer string }

// command is a command in flight, or several of one client with the same id and
// consumer, none of which is awaited.
type command struct {
	commandKey
	caller  *caller
	sent    int       // how many commands it stands for
	waiter  endWaiter // nil if nobody waits for its end
	replies int
	began   time.Time // when the last of them was added
	share   *share    // of its sender's address; it does not change
	before  *command  // in its caller's list
	behind  *command
	older   *command // in the list of all
	younger *command
}

// endWaiter waits for a command's end.
type endWaiter interface {
	// gather collects a reply. inflight.mu is held.
	gather(r *reply)
	// end is called once, with the end. hub.mu is held.
	end(e commandEnd)
	// stop stops waiting. inflight.mu is held.
	stop()
}

// idUse is the use of a command id by its client.
type idUse struct {
	caller  *caller
	count   int  // number of consumers
	awaited bool // the command is awaited; then count is 1
}

func newInflight(name string, onEvict func(evicted)) *inflight {
	return &inflight{
		prefix:   name + ".",
		now:      time.Now,
		onEvict:  onEvict,
		commands: map[commandKey]*command{},
		ids:      map[string]idUse{},
		callers:  map[*client]*caller{},
		shares:   map[string]*share{},
		calls:    map[*command]struct{}{},
	}
}

// codeInUse is the error code of a command that is not sent because its replies could
// not be told from those of another one.
const codeInUse = "in_use"

var errInUse = &rejection{codeInUse, "The command was not sent: one with this command_id is in flight; wait for its end, choose another command_id, or leave it out."}

// add registers a command before it is sent. The waiter is nil if nobody waits for its
// end. The error says why the command must not be sent.
func (f *inflight) add(from *client, key commandKey, w endWaiter) (*command, error) {
	c, victim, err := f.tryAdd(from, key, w)
	if victim.waiter != nil {
		f.onEvict(victim)
	}
	return c, err
}

func (f *inflight) tryAdd(from *client, key commandKey, w endWaiter) (c *command, victim evicted, err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	now := f.now()
	f.forgetOld(now)
	if f.conflicts(from, key, w != nil) {
		return nil, evicted{}, errInUse
	}
	if c := f.commands[key]; c != nil { // one more of the same client
		c.sent++
		c.began = now
		c.caller.rest.remove(c)
		c.caller.rest.add(c)
		f.unlink(c)
		f.link(c)
		return c, evicted{}, nil
	}
	if victim, err = f.makeRoom(from, w); err != nil {
		return nil, evicted{}, err
	}
	one := f.callerOf(from)
	c = &command{commandKey: key, caller: one, share: one.share, sent: 1, waiter: w, began: now}
	if _, ok := w.(*call); ok {
		f.calls[c] = struct{}{}
	}
	f.insert(c)
	if from.hasLeft() { // while its command waited behind the greeting
		f.forsake(from)
	}
	return c, victim, nil
}

// conflicts reports whether the replies to a command, or its end, could be mistaken for
// those of another one. mu is held.
func (f *inflight) conflicts(from *client, key commandKey, waits bool) bool {
	if use := f.ids[key.id]; use.count > 0 {
		return use.caller.client != from || waits || use.awaited
	}
	return f.commands[key] != nil // of a client that has disconnected
}

// insert adds a command to all indexes. mu is held.
func (f *inflight) insert(c *command) {
	f.commands[c.commandKey] = c
	use := f.ids[c.id]
	f.ids[c.id] = idUse{c.caller, use.count + 1, use.awaited || c.waiter != nil}
	c.caller.take(f, c)
	f.link(c)
}

// drop removes a command. mu is held.
func (f *inflight) drop(c *command) {
	f.detach(c)
	delete(f.commands, c.commandKey)
	if c.caller.client != nil {
		f.releaseID(c)
	}
	c.caller.giveBack(f, c)
	f.unlink(c)
}

// releaseID decrements the use of a command's id. mu is held.
func (f *inflight) releaseID(c *command) {
	if use := f.ids[c.id]; use.count > 1 {
		use.count--
		f.ids[c.id] = use
	} else {
		delete(f.ids, c.id)
	}
}

// detach removes and returns the command's waiter. mu is held.
func (f *inflight) detach(c *command) endWaiter {
	w := c.waiter
	if w == nil {
		return nil
	}
	w.stop()
	c.waiter = nil
	c.caller.waits.remove(c)
	c.caller.rest.add(c)
	delete(f.calls, c)
	if use, ok := f.ids[c.id]; ok && use.caller == c.caller {
		use.awaited = false
		f.ids[c.id] = use
	}
	return w
}

// link adds a command as the newest of the list by age, and unlink removes it. mu is
// held.
func (f *inflight) link(c *command) {
	if c.older = f.newest; c.older == nil {
		f.oldest = c
	} else {
		c.older.younger = c
	}
	f.newest = c
}

func (f *inflight) unlink(c *command) {
	if c.older == nil {
		f.oldest = c.younger
	} else {
		c.older.younger = c.younger
	}
	if c.younger == nil {
		f.newest = c.older
	} else {
		c.younger.older = c.older
	}
	c.older, c.younger = nil, nil
}

// forgetOld drops old commands that never ended, a few at a time: it runs whenever one
// is added. mu is held.
func (f *inflight) forgetOld(now time.Time) {
	const most = 16
	for range most {
		c := f.oldest
		if c == nil || now.Sub(c.began) < forgetAfter {
			return
		}
		if c.waiter == nil {
			f.drop(c)
			continue
		}
		f.unlink(c) // its waiter times out soon
		f.link(c)
	}
}
