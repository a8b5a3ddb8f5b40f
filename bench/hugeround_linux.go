package bench

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync/atomic"
)

// command sends a command to each worker, and sums up the answers.
func (h *hugeRun) command(ctx context.Context, command func(i int) string) (*workerStatus, error) {
	for i, c := range h.workers {
		if _, err := fmt.Fprintln(c.stdin, command(i)); err != nil {
			return nil, fmt.Errorf("%s: %w; the end of its log:\n%s", c.name, err, c.tail)
		}
	}
	sum := &workerStatus{Ended: map[string]int{}}
	for _, c := range h.workers {
		line, err := c.line(ctx)
		if err != nil {
			return nil, err
		}
		var part workerStatus
		if err := json.Unmarshal([]byte(line), &part); err != nil {
			return nil, fmt.Errorf("%s says %q: %w", c.name, line, err)
		}
		sum.add(&part)
	}
	return sum, nil
}

func (h *hugeRun) commandAll(ctx context.Context, format string, values ...any) (*workerStatus, error) {
	return h.command(ctx, func(int) string { return fmt.Sprintf(format, values...) })
}

// connect increases the number of clients.
func (h *hugeRun) connect(ctx context.Context, from, to int) error {
	parts := len(h.workers)
	of := func(i int) int { return from + (to-from)*i/parts }
	state, err := h.command(ctx, func(i int) string { return fmt.Sprintf("connect %d", of(i+1)-of(i)) })
	if err == nil && state.Open != to {
		err = fmt.Errorf("%d of %d clients are connected", state.Open, to)
	}
	return err
}

// hugeRound is the result of a round.
type hugeRound struct {
	*workerStatus
	latest []float64 // when the last client had each reply, in milliseconds since it was published
	cpu    float64   // microseconds of all bridges for each delivery
}

// complete returns an error unless that many clients got every reply once.
func (a *hugeRound) complete(clients int) error {
	switch {
	case a.Faults != (faultCounts{}):
		return errors.New(a.Faults.String())
	case len(a.Ended) > 0:
		return errors.New(describeDisconnects(a.Ended))
	case a.Incomplete > 0 || a.Open != clients || a.Replies != clients*len(a.latest):
		return fmt.Errorf("%d of %d clients are connected, %d miss replies, and %d replies arrived", a.Open, clients, a.Incomplete, a.Replies)
	}
	return nil
}

// publishToAll publishes replies, and returns an error unless all clients got each of them once.
func (h *hugeRun) publishToAll(ctx context.Context, clients, count int) (*hugeRound, error) {
	a, err := h.publish(ctx, count, func() error { return nil })
	if err == nil {
		err = a.complete(clients)
	}
	return a, err
}

// publish publishes a reply each interval, and runs meanwhile at the same time.
func (h *hugeRun) publish(ctx context.Context, count int, meanwhile func() error) (*hugeRound, error) {
	first := h.bridges[0].next
	h.bridges[0].next += uint64(count)
	// The first bridge may be killed, but its publisher goes on.
	p := h.bridges[0].source.(viaBroker).publisher
	p.prepare(first, count)
	if _, err := h.commandAll(ctx, "expect %d %d", first, count); err != nil {
		return nil, err
	}
	before, err := h.cpu()
	if err != nil {
		return nil, err
	}
	sent := make([]atomic.Int64, count)
	published := make(chan error, 1)
	go func() { published <- p.publishAll(ctx, h.size.HugeEvery, sent, monotonic) }()
	err = errors.Join(meanwhile(), <-published)
	if err != nil {
		return nil, err
	}
	state, err := h.commandAll(ctx, "await %d", patience.Milliseconds())
	if err != nil {
		return nil, err
	}
	after, err := h.cpu()
	if err != nil {
		return nil, err
	}
	a := &hugeRound{workerStatus: state, cpu: float64((after - before).Nanoseconds()) / 1e3 / float64(state.Replies)}
	for i, at := range state.Last {
		a.latest = append(a.latest, float64(at-sent[i].Load())/1e6)
	}
	return a, nil
}
