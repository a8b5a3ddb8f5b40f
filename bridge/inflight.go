package bridge

import (
	"sync"
	"time"
)

// Bounds of the commands in flight.
const (
	maxInflight       = 100_000   // in all
	maxInflightClient = 256       // of one client whose ends it waits for, and as many others
	forgetAfter       = time.Hour // of those whose end nobody waits for
	longestWait       = time.Hour
)

// inflight are the commands that were sent, or are about to be, and have not ended:
// whose they are, and who waits for their ends. Every command is among them, however
// it came: in CLU's own form, tracked, or over HTTP. They are what decides whether a
// reply is a command's own.
//
// A reply answers a command if it has the command's id, was sent to the commander
// <bridge>.<consumer> of the command, and by an actor that runs what is for that
// consumer. So two commands with the same id may be in flight if their consumers are
// not the same. Those of two clients must not be: they could not tell which is whose.
type inflight struct {
	prefix  string           // of commander ids: the bridge's name and a dot
	now     func() time.Time // time.Now
	gaveWay func(evicted)    // somebody is to be told

	// mu guards the following fields, and all that they lead to. Nothing waits while it
	// is held.
	mu       sync.Mutex
	commands map[commandKey]*command
	ids      map[string]idUse // of the commands of clients that are here
	callers  map[*client]*caller
	shares   map[string]*share
	largest  ranking[*share] // the first is the one with most commands
	calls    map[*command]struct{}
	oldest   *command // of all; each leads to the next younger one
	newest   *command
}

// commandKey is what a reply names of the command that it answers.
type commandKey struct{ id, consumer string }

// command is one in flight; or several, of one client with the same id to the same
// consumer, when nobody waits for their ends.
type command struct {
	commandKey
	caller  *caller
	sent    int       // how many it is
	waiter  endWaiter // nil when nobody waits for its end, or no longer
	replies int
	began   time.Time // the last of them
	share   *share    // of who sent it; it does not change
	before  *command  // among its caller's
	behind  *command
	older   *command // among all
	younger *command
}

// endWaiter waits for a command's end.
type endWaiter interface {
	// gather takes a reply. inflight.mu is held.
	gather(r *reply)
	// end tells of the end, once. hub.mu is held.
	end(e commandEnd)
	// stop ends the waiting. inflight.mu is held.
	stop()
}

// idUse is who uses a command id.
type idUse struct {
	caller  *caller
	count   int  // for how many consumers
	awaited bool // the end of one is waited for; then there is one
}

func newInflight(name string, gaveWay func(evicted)) *inflight {
	return &inflight{
		prefix:   name + ".",
		now:      time.Now,
		gaveWay:  gaveWay,
		commands: map[commandKey]*command{},
		ids:      map[string]idUse{},
		callers:  map[*client]*caller{},
		shares:   map[string]*share{},
		calls:    map[*command]struct{}{},
	}
}

// codeInUse is the code of a command that is not sent because its replies would be
// taken for those of another one.
const codeInUse = "in_use"

var errInUse = &rejection{codeInUse, "The command was not sent: one with this command_id is under way; wait for its end, or choose another command_id, or leave it out."}

// add notes a command before it is sent. The waiter is nil when nobody waits for its
// end. The error says in words why it must not be sent.
func (f *inflight) add(from *client, key commandKey, w endWaiter) (*command, error) {
	c, gaveWay, err := f.tryAdd(from, key, w)
	if gaveWay.waiter != nil {
		f.gaveWay(gaveWay)
	}
	return c, err
}

func (f *inflight) tryAdd(from *client, key commandKey, w endWaiter) (c *command, gaveWay evicted, err error) {
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
		f.unage(c)
		f.age(c)
		return c, evicted{}, nil
	}
	if gaveWay, err = f.makeRoom(from, w); err != nil {
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
	return c, gaveWay, nil
}

// conflicts reports whether the replies to a command, or its end, could be taken for
// those of another one. mu is held.
func (f *inflight) conflicts(from *client, key commandKey, waits bool) bool {
	if use := f.ids[key.id]; use.count > 0 {
		return use.caller.client != from || waits || use.awaited
	}
	return f.commands[key] != nil // of a client that has left
}

// insert puts a command where it is found. mu is held.
func (f *inflight) insert(c *command) {
	f.commands[c.commandKey] = c
	use := f.ids[c.id]
	f.ids[c.id] = idUse{c.caller, use.count + 1, use.awaited || c.waiter != nil}
	c.caller.take(f, c)
	f.age(c)
}

// drop forgets a command. mu is held.
func (f *inflight) drop(c *command) {
	f.quit(c)
	delete(f.commands, c.commandKey)
	if c.caller.client != nil {
		f.unuse(c)
	}
	c.caller.giveBack(f, c)
	f.unage(c)
}

// unuse notes that a client uses a command's id for one consumer less. mu is held.
func (f *inflight) unuse(c *command) {
	if use := f.ids[c.id]; use.count > 1 {
		use.count--
		f.ids[c.id] = use
	} else {
		delete(f.ids, c.id)
	}
}

// quit has nobody wait for the command's end any longer, and gives who did. mu is held.
func (f *inflight) quit(c *command) endWaiter {
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

// age puts a command behind all older ones, and unage takes it out. mu is held.
func (f *inflight) age(c *command) {
	if c.older = f.newest; c.older == nil {
		f.oldest = c
	} else {
		c.older.younger = c
	}
	f.newest = c
}

func (f *inflight) unage(c *command) {
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

// forgetOld forgets commands that do not end. It looks at few of them at a time: it
// runs whenever one is added. mu is held.
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
		f.unage(c) // its time is nearly over
		f.age(c)
	}
}
