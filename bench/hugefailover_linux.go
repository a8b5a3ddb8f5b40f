package bench

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"syscall"
	"time"
)

// killOne kills a bridge while replies are published, and returns the time until all its clients are connected again.
// Clients of the other bridges must not be affected.
func (h *hugeRun) killOne(ctx context.Context) (back time.Duration, err error) {
	h.begin("one bridge is killed", h.replySeconds())
	victim := h.bridges[len(h.bridges)-1]
	its, err := h.proc.connections(victim.pid, int(victim.addr.Port()))
	if err != nil {
		return 0, err
	}
	if _, err := h.commandAll(ctx, "recover"); err != nil {
		return 0, err
	}
	during, err := h.publish(ctx, h.size.HugeReplies, func() error {
		killed := time.Now()
		victim.child.stop() // SIGKILL
		for {
			state, err := h.commandAll(ctx, "count")
			if err != nil {
				return err
			}
			if state.Lost >= its && state.Open == h.size.HugeClients {
				back = time.Since(killed)
				return nil
			}
			select {
			case <-time.After(pollEvery):
			case <-ctx.Done():
				return fmt.Errorf("%d clients of %d are connected: %w", state.Open, h.size.HugeClients, context.Cause(ctx))
			}
		}
	})
	switch {
	case err != nil:
		return 0, err
	case during.Faults != (faultCounts{}):
		return 0, errors.New(during.Faults.String())
	case during.Incomplete != during.Disconnected || during.Lost != its:
		return 0, fmt.Errorf("%d clients miss replies, of which %d are disconnected; the killed bridge had %d; %s",
			during.Incomplete, during.Disconnected, its, describeDisconnects(during.Ended))
	}
	return back, nil
}

// drain ends the bridges, and returns the time until the last client was disconnected.
func (h *hugeRun) drain(ctx context.Context) (time.Duration, error) {
	h.begin("all bridges drain", float64(h.size.HugeClients)/float64(hugeShedRate*len(h.bridges)))
	// Disconnected clients do not reconnect any more.
	if _, err := h.commandAll(ctx, "settle"); err != nil {
		return 0, err
	}
	start := time.Now()
	for _, t := range h.bridges {
		select {
		case <-t.done:
			continue
		default:
		}
		if err := syscall.Kill(t.pid, syscall.SIGTERM); err != nil {
			return 0, err
		}
	}
	for {
		state, err := h.commandAll(ctx, "count")
		if err != nil {
			return 0, err
		}
		if state.Open == 0 {
			for why := range state.Ended {
				if !strings.HasPrefix(why, "closed with 1001") {
					return 0, errors.New(describeDisconnects(state.Ended))
				}
			}
			break
		}
		select {
		case <-time.After(pollEvery):
		case <-ctx.Done():
			return 0, fmt.Errorf("%d clients are still connected: %w", state.Open, context.Cause(ctx))
		}
	}
	took := time.Since(start)
	for _, t := range h.bridges {
		select {
		case <-t.done:
		case <-ctx.Done():
			return 0, fmt.Errorf("%s has not ended: %w", t.name, context.Cause(ctx))
		}
	}
	return took, nil
}
