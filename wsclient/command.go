package wsclient

import (
	"context"
	"encoding/json"
	"sync"
	"time"
)

// CommandState is how far a command has come.
//
//	Sent ──► Running ──► Done | Failed
//	  │         │
//	  └────┬────┘
//	       ▼
//	    Unknown ──► Running | Done | Failed     when replies to it arrive again
//
//	Rejected: it was not sent, by this client or by the bridge
type CommandState string

// The states of a command.
const (
	Sent     CommandState = "sent"
	Running  CommandState = "running"
	Done     CommandState = "done"
	Failed   CommandState = "failed"
	Unknown  CommandState = "unknown" // the connection broke, the time ran out, or the bridge may have missed its end: its actor may go on
	Rejected CommandState = "rejected"
)

// Active reports whether the command is on its way or runs.
func (s CommandState) Active() bool { return s == Sent || s == Running }

// Final reports whether the state can no longer change. Unknown can.
func (s CommandState) Final() bool { return s == Done || s == Failed || s == Rejected }

// SendOptions are the options of [Client.Send].
type SendOptions struct {
	// ID is the id of the command; without one, it gets one of its own.
	ID string
	// Expires is how long the command may take to reach the bridge; a command that is later is not sent to its actor.
	// The default is 5 s, the longest an hour.
	Expires time.Duration
	// Timeout is how long the actor may take, counted from when Expires is over. Then the command is Unknown. 0 is no limit.
	Timeout time.Duration
	// Extra is for an application that decides about commands.
	Extra map[string]any
}

// Result is what a command that is done has brought.
type Result struct {
	Command *Command
	Reply   *Reply   // the one that ended it; nil if this client may not hear it
	Replies []*Reply // all of them, or the newest if there were very many
}

// Keywords returns the keywords of all replies, with their latest values.
func (r Result) Keywords() map[string]json.RawMessage {
	all := map[string]json.RawMessage{}
	for _, reply := range r.Replies {
		for name, value := range reply.Keywords() {
			all[name] = value
		}
	}
	return all
}

// Command is a command that was sent once, and is never sent again.
type Command struct {
	ID       string
	Consumer string
	String   string
	SentAt   time.Time

	client  *Client
	request string        // the id of the request that sends it; guarded by the client's lock
	written bool          // it has left for the socket; guarded by the client's lock
	doubted bool          // another one may have had its id until now; guarded by the client's lock
	earlier bool          // its connection is lost: the bridge does not count it as this client's; guarded by the client's lock
	done    chan struct{} // closed at the first end
	final   chan struct{} // closed when the state can no longer change

	mu        sync.Mutex // guards the following fields
	state     CommandState
	err       *CommandError
	changed   chan struct{} // closed and replaced at each change
	replies   []*Reply      // the newest
	replied   int           // how many there were
	size      int           // of replies, in bytes
	readers   []*int        // how many replies each loop over Replies has taken
	leftOut   int           // see LeftOut
	last      *Reply
	commander string // of its replies; "" before it is known
	ended     bool   // done is closed
	timer     *time.Timer
}

// State returns how far the command has come.
func (c *Command) State() CommandState {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.state
}

// Done is closed when the command has ended, for the first time: Unknown is an end, and may become another one.
func (c *Command) Done() <-chan struct{} { return c.done }

// Settled is closed when the command is Done, Failed or Rejected, also if it was Unknown before. It may never be.
func (c *Command) Settled() <-chan struct{} { return c.final }

// Wait waits until the command has ended, or for the context, whose end does not stop the command. The error is a
// [*CommandError] if the command did not succeed.
func (c *Command) Wait(ctx context.Context) (Result, error) {
	select {
	case <-c.done:
		return c.Result()
	case <-ctx.Done():
		return Result{Command: c}, ctx.Err()
	}
}

// Result returns how the command has ended. Before that, the error is a [*CommandError] with its present state.
func (c *Command) Result() (Result, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	result := Result{Command: c, Reply: c.last, Replies: c.newest()}
	switch {
	case c.state == Done:
		return result, nil
	case c.err != nil && c.err.State == c.state:
		return result, c.err
	default:
		return result, &CommandError{State: c.state, Message: "the command has not ended", Command: c}
	}
}
