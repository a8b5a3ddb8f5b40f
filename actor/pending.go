package actor

import (
	"context"
	"iter"
	"sync"
)

// MaxBufferedReplies is how many replies to a running command are kept for its readers.
// When there are more, the older half is discarded.
const MaxBufferedReplies = 4096

// Pending is a command that was sent and is followed to its end. Its methods may be
// called from any goroutine.
type Pending struct {
	// Command is the command as sent.
	Command Command

	onReply func(Reply)
	done    chan struct{} // closed at the end
	// release removes the command from its client.
	release func()

	// mu guards the following fields.
	mu         sync.Mutex
	unwatch    func() bool // stops watching the context; nil if it is not watched
	replies    []Reply
	missed     int           // discarded replies
	changed    chan struct{} // closed and renewed at each reply; closed at the end
	ended      bool
	unroutable bool // the broker returned the command
	status     Status
	err        error
}

func newPending(cmd Command, onReply func(Reply)) *Pending {
	return &Pending{Command: cmd, onReply: onReply, done: make(chan struct{}), changed: make(chan struct{})}
}

// Replies yields the command's replies in order from the first, waiting for each, until the
// command or the context ends. A reader that falls more than [MaxBufferedReplies] behind
// misses the oldest ones.
func (p *Pending) Replies(ctx context.Context) iter.Seq[Reply] {
	return func(yield func(Reply) bool) {
		for next := 0; ; {
			p.mu.Lock()
			next = max(next, p.missed)
			fresh := p.replies[next-p.missed:]
			changed, over := p.changed, p.ended
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

// Wait waits for the command's end. The error is nil if the command is done, a
// [*CommandError] if it ended in another way, or the context's. In the last case the
// command is still followed.
func (p *Pending) Wait(ctx context.Context) (Result, error) {
	var err error
	select {
	case <-p.done:
	case <-ctx.Done():
		err = ctx.Err()
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.ended {
		return Result{Status: p.status, Replies: p.replies, Missed: p.missed}, p.err
	}
	return Result{Status: StatusUnknown, Replies: p.replies, Missed: p.missed}, err
}

// Done returns a channel that is closed when the command has ended.
func (p *Pending) Done() <-chan struct{} { return p.done }

// add records the next reply, and ends the command if it is the last.
func (p *Pending) add(r Reply) {
	p.mu.Lock()
	if p.ended {
		p.mu.Unlock()
		return
	}
	if len(p.replies) >= MaxBufferedReplies {
		// Readers may still use the old array: the rest moves to a new one.
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
	// An actor may send commands to other actors with this command's id, and other clients may
	// use the same id. Such replies have a different commander or sender and do not end this
	// command.
	own := r.CommanderID == p.Command.CommanderID && Receives(r.Sender, p.Command.Consumer)
	switch {
	case !own || !r.Code.Ends():
	case r.Code.Fails():
		p.end(StatusFailed, reason(r))
	default:
		p.end(StatusDone, "")
	}
}

// reason returns the reason that a reply gives for its command's failure.
func reason(r Reply) string {
	if text := r.ErrorText(); text != "" {
		return text
	}
	return "The actor gave no reason."
}

// answered reports whether a reply has come, which shows that the command arrived.
func (p *Pending) answered() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.replies) > 0
}

// markUnroutable makes the command end as unroutable, however it ends.
func (p *Pending) markUnroutable() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.unroutable = true
}

// watch ends the command as unknown if the context ends first.
func (p *Pending) watch(ctx context.Context) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.ended {
		p.unwatch = context.AfterFunc(ctx, func() {
			p.end(StatusUnknown, "The command's end was not waited for; it may still run.")
		})
	}
}

// end ends the command. Only the first end counts.
func (p *Pending) end(status Status, reason string) {
	p.mu.Lock()
	if p.ended {
		p.mu.Unlock()
		return
	}
	if p.unroutable {
		status, reason = StatusUnroutable, UnroutableText(p.Command.Consumer)
	}
	p.ended, p.status = true, status
	if status != StatusDone {
		p.err = &CommandError{
			Consumer:      p.Command.Consumer,
			CommandString: p.Command.CommandString,
			CommandID:     p.Command.CommandID,
			Status:        status,
			Reason:        reason,
		}
	}
	close(p.changed)
	if p.unwatch != nil {
		p.unwatch()
	}
	p.mu.Unlock()
	p.release()
	close(p.done)
}
