package wsclient

import (
	"context"
	"iter"
	"slices"
)

const (
	maxReplies     = 500      // how many replies a command keeps; one for whose replies a loop waits keeps those, too
	maxUnreadBytes = 64 << 20 // of replies that a loop has not taken yet
)

// keep takes a reply, and leaves out the oldest ones that nobody waits for, or for which there is no room.
func (c *Command) keep(r *Reply) {
	c.replied++
	c.replies = append(c.replies, r)
	c.size += len(r.Envelope)
	unread := c.replied
	for _, taken := range c.readers {
		unread = min(unread, *taken)
	}
	for len(c.replies) > maxReplies && (c.replied-len(c.replies) < unread || c.size > maxUnreadBytes) {
		c.size -= len(c.replies[0].Envelope)
		c.replies[0] = nil
		c.replies = c.replies[1:]
	}
}

// newest returns the last replies.
func (c *Command) newest() []*Reply {
	return slices.Clone(c.replies[max(0, len(c.replies)-maxReplies):])
}

// Replies returns the replies to the command, from the first on, until it has ended or the context has. If the loop takes
// them so slowly that 64 MiB wait, the oldest are left out, see [Command.LeftOut].
func (c *Command) Replies(ctx context.Context) iter.Seq[*Reply] {
	return func(yield func(*Reply) bool) {
		taken := 0
		c.mu.Lock()
		c.readers = append(c.readers, &taken)
		c.mu.Unlock()
		defer func() {
			c.mu.Lock()
			defer c.mu.Unlock()
			c.readers = slices.DeleteFunc(c.readers, func(r *int) bool { return r == &taken })
		}()
		for {
			waiting, ended, changed := c.take(&taken)
			for _, reply := range waiting {
				if !yield(reply) {
					return
				}
			}
			if ended {
				return
			}
			select {
			case <-changed:
			case <-ctx.Done():
				return
			}
		}
	}
}

// take returns the replies that a loop has not taken yet, and what happens next.
func (c *Command) take(taken *int) (waiting []*Reply, ended bool, changed <-chan struct{}) {
	c.mu.Lock()
	defer c.mu.Unlock()
	first := c.replied - len(c.replies)
	if *taken < first {
		c.leftOut += first - *taken
		*taken = first
	}
	waiting = slices.Clone(c.replies[*taken-first:])
	*taken = c.replied
	return waiting, !c.state.Active(), c.changed
}

// LeftOut returns how many replies the loops over [Command.Replies] have not got, because they were too slow or began late.
func (c *Command) LeftOut() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.leftOut
}
