package actor

import (
	"context"
	"iter"
	"sync"
)

// MaxBufferedReplies is how many replies of a running command are kept for those who
// have not read them yet. Older ones give way, in halves.
const MaxBufferedReplies = 4096

// Pending is a command that was sent and is followed to its end. Its methods may
// be called from any goroutine.
type Pending struct {
	// Command is what was sent.
	Command Command

	onReply func(Reply)
	ended   chan struct{} // closed at the end
	// free gives up the command's place in the client.
	free func()

	// mu guards the following fields.
	mu      sync.Mutex
	unwatch func() bool // of the context, or nil
	replies []Reply
	missed  int           // replies before the first one kept
	changed chan struct{} // closed and renewed at each reply; closed at the end
	over    bool
	nobody  bool // the broker returned the command
	ending  Status
	err     error
}

func newPending(cmd Command, onReply func(Reply)) *Pending {
	return &Pending{Command: cmd, onReply: onReply, ended: make(chan struct{}), changed: make(chan struct{})}
}

// Replies yields the command's replies in order, from the first on, waiting for
// each, until the command or the context ends. A reader that falls more than
// [MaxBufferedReplies] behind misses the oldest ones.
func (p *Pending) Replies(ctx context.Context) iter.Seq[Reply] {
	return func(yield func(Reply) bool) {
		for next := 0; ; {
			p.mu.Lock()
			next = max(next, p.missed)
			fresh := p.replies[next-p.missed:]
			changed, over := p.changed, p.over
			p.mu.Unlock()
			for _, r := range fresh {
				if ctx.Err() != nil || !yield(r) {
					return
				}
			}
			next += len(fresh)
			if over {
				return
			}
			select {
			case <-ctx.Done():
				return
			case <-changed:
			}
		}
	}
}

// Wait waits for the command's end. The error is nil if it is done, a
// [*CommandError] if it is not, or the context's: then the command is still
// followed.
func (p *Pending) Wait(ctx context.Context) (Result, error) {
	var err error
	select {
	case <-p.ended:
	case <-ctx.Done():
		err = ctx.Err()
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.over {
		return Result{Status: p.ending, Replies: p.replies, Missed: p.missed}, p.err
	}
	return Result{Status: StatusUnknown, Replies: p.replies, Missed: p.missed}, err
}

// Done is closed when the command has ended.
func (p *Pending) Done() <-chan struct{} { return p.ended }

// add takes the next reply, and ends the command if it is the last.
func (p *Pending) add(r Reply) {
	p.mu.Lock()
	if p.over {
		p.mu.Unlock()
		return
	}
	if len(p.replies) >= MaxBufferedReplies {
		// Readers hold on to the old array: the rest moves to a new one.
		p.missed += MaxBufferedReplies / 2
		p.replies = append(make([]Reply, 0, MaxBufferedReplies), p.replies[MaxBufferedReplies/2:]...)
	}
	p.replies = append(p.replies, r)
	close(p.changed)
	p.changed = make(chan struct{})
	p.mu.Unlock()
	if p.onReply != nil {
		p.onReply(r)
	}
	// An actor may command other actors under this command's id, and any other client
	// may use the same id. Such replies have another commander or another sender, and
	// do not end this command.
	own := r.CommanderID == p.Command.CommanderID && Receives(r.Sender, p.Command.Consumer)
	switch {
	case !own || !r.Code.Ends():
	case r.Code.Fails():
		p.end(StatusFailed, reason(r))
	default:
		p.end(StatusDone, "")
	}
}

// reason is a failed reply's own words.
func reason(r Reply) string {
	if text := r.ErrorText(); text != "" {
		return text
	}
	return "The actor gave no reason."
}

// confirmed tells whether the actor was heard of, which settles any doubt
// whether the command arrived.
func (p *Pending) confirmed() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.replies) > 0
}

// markUnroutable notes that the command reached nobody, however it now ends.
func (p *Pending) markUnroutable() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.nobody = true
}

// watch ends the command as unknown if the context ends before it.
func (p *Pending) watch(ctx context.Context) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.over {
		p.unwatch = context.AfterFunc(ctx, func() {
			p.end(StatusUnknown, "The command was not followed to its end; it may still run.")
		})
	}
}

// end ends the command; only the first end counts.
func (p *Pending) end(ending Status, reason string) {
	p.mu.Lock()
	if p.over {
		p.mu.Unlock()
		return
	}
	if p.nobody {
		ending, reason = StatusUnroutable, UnroutableText(p.Command.Consumer)
	}
	p.over, p.ending = true, ending
	if ending != StatusDone {
		p.err = &CommandError{
			Consumer:      p.Command.Consumer,
			CommandString: p.Command.CommandString,
			CommandID:     p.Command.CommandID,
			Status:        ending,
			Reason:        reason,
		}
	}
	close(p.changed)
	if p.unwatch != nil {
		p.unwatch()
	}
	p.mu.Unlock()
	p.free()
	close(p.ended)
}
