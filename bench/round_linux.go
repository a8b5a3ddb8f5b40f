package bench

import (
	"context"
	"fmt"
	"sync/atomic"
	"time"
)

// patience is how long the last reply of a round may take to reach the last client.
const patience = 30 * time.Second

// round is a number of replies to a set of clients.
type round struct {
	count int
	every time.Duration // 0 is all at once
	timed bool          // record the latency of each reply on each client
}

// roundResult is the result of a round.
type roundResult struct {
	*receiveResult
	CPU  time.Duration // of the target
	User time.Duration // the part of it in user mode
	Own  time.Duration // the part of it of a peer's own processes, without what is behind it
	Loop time.Duration // of its busiest thread: all that a baseline needs
	Wall time.Duration // from the first reply sent to the last one read
}

// perDelivery returns the CPU time for one reply to one client, in microseconds.
func (p *roundResult) perDelivery() float64 {
	return float64(p.CPU) / float64(time.Microsecond) / float64(p.Replies)
}

// userPerDelivery returns the part of it in user mode.
func (p *roundResult) userPerDelivery() float64 {
	return float64(p.User) / float64(time.Microsecond) / float64(p.Replies)
}

// loopPerDelivery returns the same for the busiest thread alone.
func (p *roundResult) loopPerDelivery() float64 {
	return float64(p.Loop) / float64(time.Microsecond) / float64(p.Replies)
}

// rate returns deliveries a second.
func (p *roundResult) rate() float64 { return float64(p.Replies) / p.Wall.Seconds() }

// runRound runs a round, and returns an error unless every client got every reply once and in order.
func (b *bench) runRound(ctx context.Context, t *target, set *clientSet, r round) (*roundResult, error) {
	p, err := b.measureRound(ctx, t, set, r)
	if err != nil {
		return nil, err
	}
	if err := p.err(); err != nil {
		return nil, fmt.Errorf("%s: %w", t.name, err)
	}
	return p, nil
}

// measureRound runs a round, whatever arrives.
func (b *bench) measureRound(ctx context.Context, t *target, set *clientSet, r round) (*roundResult, error) {
	first := t.next
	t.next += uint64(r.count)
	var sent []atomic.Int64
	if r.timed {
		sent = make([]atomic.Int64, r.count)
	}
	limit := time.Duration(r.count)*r.every + patience
	sending, cancel := context.WithTimeoutCause(ctx, limit, fmt.Errorf("not done within %v", limit))
	defer cancel()
	if err := t.source.prepare(sending, first, r.count); err != nil {
		return nil, err
	}
	set.expect(first, r.count, sent)
	before, err := b.usage(ctx, t)
	if err != nil {
		return nil, err
	}
	start := b.loop.clock()
	sendErr := t.source.send(sending, r.every, sent)
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	wait := patience
	if sendErr != nil {
		wait = 0 // the error and what has arrived by now say enough
	}
	a, err := set.await(ctx, wait)
	if err != nil {
		return nil, err
	}
	if sendErr != nil {
		return nil, fmt.Errorf("%w (%w)", sendErr, a.err())
	}
	after, err := b.usage(ctx, t)
	if err != nil {
		return nil, err
	}
	// Duplicates may arrive after the last expected reply.
	a.Faults = set.counts().faults
	p := &roundResult{receiveResult: a, User: after.user - before.user, Wall: time.Duration(a.At - start)}
	for thread, used := range after.threads {
		used -= before.threads[thread]
		p.CPU += used
		p.Loop = max(p.Loop, used)
	}
	return p, nil
}

// usage is the CPU time that a target has used.
type usage struct {
	threads map[string]time.Duration // user and system, of each thread
	user    time.Duration            // user, of all threads
}

// usage waits until the target is at rest, and returns its usage.
func (b *bench) usage(ctx context.Context, t *target) (u usage, err error) {
	if err := b.atRest(ctx, t); err != nil {
		return u, err
	}
	if u.threads, err = b.proc.threads(t.pid); err != nil {
		return u, err
	}
	u.user, _, err = b.proc.cpuTicks(t.pid)
	return u, err
}
