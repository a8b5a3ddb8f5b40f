package hub

import (
	"sync"
	"time"

	"github.com/clu-ws/clu-ws/bridge/protocol"
)

// MaxWait is the longest time for which a command's end is awaited.
const MaxWait = time.Hour

// Bounds of the commands in flight.
const (
	maxInflight       = 100_000   // in all
	maxInflightClient = 256       // with a waiter, of one client; and as many without
	maxHTTP           = 256       // awaited over HTTP
	forgetAfter       = time.Hour // the age at which a command without a waiter is dropped
)

// Inflight is the registry of the commands in flight: those that are sent, or about to be,
// and have not ended, with their callers and waiters. It holds every command: plain,
// tracked, or over HTTP. It decides which command a reply answers.
//
// A reply answers a command if it has the command's id, the commander <bridge>.<consumer> of
// the command, and a sender that runs commands to that consumer. So two commands with the same
// id may be in flight if their consumers differ and both belong to one client. Two clients
// could not tell their replies apart.
type Inflight struct {
	prefix  string // of commander ids: the bridge's name and a dot
	now     func() time.Time
	onEvict func(evicted) // tells the waiter of an evicted command

	// mu guards the following fields and everything they point to. Nothing blocks while it is
	// held.
	mu       sync.Mutex
	commands map[CommandKey]*Command
	ids      map[string]idUse // of connected clients
	callers  map[Client]*caller
	shares   map[string]*share
	largest  ranking[*share]       // the first has the most commands
	http     map[*Command]struct{} // those awaited over HTTP
	awaited  int                   // how many have a waiter
	oldest   *Command              // the list of all commands by age
	newest   *Command
}

// CommandKey is the part of a reply that names the command it answers.
type CommandKey struct{ ID, Consumer string }

// Command is a command in flight, or several of one client with the same id and consumer, none
// of which is awaited.
type Command struct {
	CommandKey
	caller  *caller
	self    string    // [Client.Self] of its sender; it does not change
	sent    int       // how many commands it stands for
	waiter  Waiter    // nil if its end is not awaited
	replies int       // to the waiter, as far as its client may hear them
	ended   bool      // the last reply to the last of them has come
	began   time.Time // when the last of them was added
	share   *share    // of its sender's address; it does not change
	prev    *Command  // in its caller's list
	next    *Command
	older   *Command // in the list of all
	younger *Command
}

// Party returns the party on whose turn the link sends the command; see [amqpx.Message].
func (c *Command) Party() any { return c.share }

// Waiter waits for a command's end.
type Waiter interface {
	// Viewer returns what the client may hear. Inflight.mu is held.
	Viewer() *Viewer
	// Gather takes a reply that the client may hear. Inflight.mu is held.
	Gather(r *Reply)
	// End is called once, with the end. Hub.mu is held, except for an evicted command over
	// HTTP.
	End(e CommandEnd)
	// Stop ends the wait without an end. Inflight.mu is held.
	Stop()
}

// idUse is the use of a command id by its client.
type idUse struct {
	caller  *caller
	count   int  // number of consumers
	awaited bool // the command is awaited; then count is 1
}

func newInflight(name string, now func() time.Time, onEvict func(evicted)) *Inflight {
	return &Inflight{
		prefix:   name + ".",
		now:      now,
		onEvict:  onEvict,
		commands: map[CommandKey]*Command{},
		ids:      map[string]idUse{},
		callers:  map[Client]*caller{},
		shares:   map[string]*share{},
		http:     map[*Command]struct{}{},
	}
}

var errInUse = &protocol.Rejection{Code: protocol.CodeInUse, Message: "The command was not sent: one with this command_id is in flight; wait for its end, choose another command_id, or leave it out."}

// Add registers a command before it is sent. The waiter is nil if the command's end is not
// awaited. The error says why the command must not be sent.
func (f *Inflight) Add(from Client, key CommandKey, w Waiter) (*Command, error) {
	return f.add(from, key, w, false)
}

// AddHTTP is Add for a command that is awaited over HTTP.
func (f *Inflight) AddHTTP(from Client, key CommandKey, w Waiter) (*Command, error) {
	return f.add(from, key, w, true)
}

func (f *Inflight) add(from Client, key CommandKey, w Waiter, http bool) (*Command, error) {
	c, victim, err := f.tryAdd(from, key, w, http)
	if victim.waiter != nil {
		f.onEvict(victim)
	}
	return c, err
}

func (f *Inflight) tryAdd(from Client, key CommandKey, w Waiter, http bool) (c *Command, victim evicted, err error) {
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
	if victim, err = f.makeRoom(from, w, http); err != nil {
		return nil, evicted{}, err
	}
	one := f.callerOf(from)
	c = &Command{CommandKey: key, caller: one, self: from.Self(), share: one.share, sent: 1, waiter: w, began: now}
	if http {
		f.http[c] = struct{}{}
	}
	f.insert(c)
	if from.HasLeft() { // it left while the command waited for the hello
		f.disconnect(from)
	}
	return c, victim, nil
}

// conflicts reports whether the replies to a command, or its end, could be mistaken for
// those of another one. mu is held.
func (f *Inflight) conflicts(from Client, key CommandKey, waits bool) bool {
	if use := f.ids[key.ID]; use.count > 0 {
		return use.caller.client != from || waits || use.awaited
	}
	return f.commands[key] != nil // of a client that has disconnected
}

// insert adds a command to all indexes. mu is held.
func (f *Inflight) insert(c *Command) {
	f.commands[c.CommandKey] = c
	use := f.ids[c.ID]
	f.ids[c.ID] = idUse{c.caller, use.count + 1, use.awaited || c.waiter != nil}
	c.caller.take(f, c)
	f.link(c)
}

// drop removes a command. mu is held.
func (f *Inflight) drop(c *Command) {
	f.detach(c)
	delete(f.commands, c.CommandKey)
	if c.caller.client != nil {
		f.releaseID(c)
	}
	c.caller.giveBack(f, c)
	f.unlink(c)
}

// releaseID decrements the use of a command's id. mu is held.
func (f *Inflight) releaseID(c *Command) {
	if use := f.ids[c.ID]; use.count > 1 {
		use.count--
		f.ids[c.ID] = use
	} else {
		delete(f.ids, c.ID)
	}
}

// detach removes and returns the command's waiter. mu is held.
func (f *Inflight) detach(c *Command) Waiter {
	w := c.waiter
	if w == nil {
		return nil
	}
	w.Stop()
	c.waiter = nil
	f.awaited--
	c.caller.waits.remove(c)
	c.caller.rest.add(c)
	delete(f.http, c)
	if use, ok := f.ids[c.ID]; ok && use.caller == c.caller {
		use.awaited = false
		f.ids[c.ID] = use
	}
	return w
}

// link adds a command to the list by age, as the newest, and unlink removes it. mu is held.
func (f *Inflight) link(c *Command) {
	if c.older = f.newest; c.older == nil {
		f.oldest = c
	} else {
		c.older.younger = c
	}
	f.newest = c
}

func (f *Inflight) unlink(c *Command) {
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

// forgetOld drops old commands that never ended, a few at a time: it runs whenever a command is
// added. mu is held.
func (f *Inflight) forgetOld(now time.Time) {
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
		f.unlink(c) // it is awaited, and will time out
		f.link(c)
	}
}
