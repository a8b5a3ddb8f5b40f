package bench

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync/atomic"
	"time"
)

// A stream of replies runs for streamLead before something disturbs it, but not for more than half of its replies.
const streamLead = 300 * time.Millisecond

// disturbedStream is how late the replies of a stream were, each when the last of its clients had it, in milliseconds.
type disturbedStream struct {
	alone  []float64 // before the disturbance
	beside []float64 // during it
	took   time.Duration
}

// stream runs a round, and something else during it.
func (b *bench) stream(ctx context.Context, t *target, set *clientSet, r round, disturb func(context.Context) error) (*disturbedStream, error) {
	first := t.next
	t.next += uint64(r.count)
	ctx, cancel := context.WithTimeoutCause(ctx, time.Duration(r.count)*r.every+patience, fmt.Errorf("the stream did not end within %v", patience))
	defer cancel()
	if err := t.source.prepare(ctx, first, r.count); err != nil {
		return nil, err
	}
	set.expect(first, r.count, nil)
	set.recordLast()
	var from, to int64
	disturbed := make(chan error, 1)
	sent := make([]atomic.Int64, r.count)
	go func() {
		// A busy machine may send late, or nothing for a while: the stream itself says when.
		lead := min(int(streamLead/r.every), r.count/2)
		if err := awaitSent(ctx, &sent[lead]); err != nil {
			disturbed <- err
			return
		}
		from = b.loop.clock()
		err := disturb(ctx)
		to = b.loop.clock()
		disturbed <- err
	}()
	if err := t.source.send(ctx, r.every, sent); err != nil {
		cancel()
		<-disturbed
		return nil, err
	}
	if err := <-disturbed; err != nil {
		return nil, err
	}
	a, err := set.await(ctx, patience)
	if err != nil {
		return nil, err
	}
	if err := a.err(); err != nil {
		return nil, fmt.Errorf("%s: %w", t.name, err)
	}
	var arrived []int64
	set.loop.call(func() { arrived = slices.Clone(set.checker.lastArrival) })
	s := &disturbedStream{took: time.Duration(to - from)}
	for i := range arrived {
		at := sent[i].Load()
		late := float64(arrived[i]-at) / float64(time.Millisecond)
		switch {
		case at < from:
			s.alone = append(s.alone, late)
		case at <= to || len(s.beside) == 0:
			s.beside = append(s.beside, late) // of a short disturbance at least the reply that came next
		}
	}
	if len(s.alone) == 0 || len(s.beside) == 0 {
		return nil, errors.New("the stream has no replies before the disturbance, or none during it")
	}
	return s, nil
}

// awaitSent waits until a reply is sent. It looks at short intervals, for the publisher must not be held up.
func awaitSent(ctx context.Context, at *atomic.Int64) error {
	for at.Load() == 0 {
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-time.After(time.Millisecond):
		}
	}
	return nil
}
