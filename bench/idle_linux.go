package bench

import (
	"context"
	"fmt"
	"time"
)

// idleBytes is the goal for the memory of an idle client.
const idleBytes = 420

// idle measures how much the server's memory grows with clients that do nothing. Each round has a fresh server: memory
// that was used for many clients before would hide the growth.
func (b *bench) idle(ctx context.Context) ([]Row, error) {
	var grown []float64
	for i := range idleRounds(b.size) {
		b.progress.begin("idle", fmt.Sprintf("%d clients, round %d of %d", b.size.IdleTo, i+1, idleRounds(b.size)), idleTime(b.size))
		bytes, err := b.idleOnce(ctx)
		if err != nil {
			return nil, err
		}
		grown = append(grown, bytes)
	}
	what := fmt.Sprintf("memory of an idle client, %s to %s", grouped(b.size.IdleFrom), grouped(b.size.IdleTo))
	return []Row{row("idle", what, "B", grown, "", nil, limit{by: Value, bound: idleBytes})}, nil
}

func idleRounds(s Sizes) int      { return min(s.Rounds, 3) }
func idleTime(s Sizes) float64    { return 2*s.Settle.Seconds() + connectTime(s.IdleTo) }
func idleSeconds(s Sizes) float64 { return float64(idleRounds(s)) * idleTime(s) }

// idleOnce returns the bytes for each client.
func (b *bench) idleOnce(ctx context.Context) (float64, error) {
	server, err := b.server(ctx)
	if err != nil {
		return 0, err
	}
	defer server.stop()
	set := newClientSet(b.loop, dialer{to: server.addr, path: "/", host: server.addr.String()})
	defer set.disconnect()
	var rss [2]int64
	for i, n := range []int{b.size.IdleFrom, b.size.IdleTo - b.size.IdleFrom} {
		if _, err := set.connect(ctx, n); err != nil {
			return 0, err
		}
		// A reply to all clients shows that they are connected.
		if _, err := b.runRound(ctx, server, set, round{count: 1}); err != nil {
			return 0, err
		}
		select {
		case <-time.After(b.size.Settle):
		case <-ctx.Done():
			return 0, context.Cause(ctx)
		}
		if rss[i], err = b.proc.rss(server.pid); err != nil {
			return 0, err
		}
	}
	return float64(rss[1]-rss[0]) / float64(b.size.IdleTo-b.size.IdleFrom), nil
}
