package bench

import (
	"context"
	"fmt"
)

// connections measures how many new connections a second are accepted and upgraded, while all of them stay open.
func (b *bench) connections(ctx context.Context) ([]Row, error) {
	server, baseline, err := b.pair(ctx, false)
	if err != nil {
		return nil, err
	}
	defer server.stop()
	defer baseline.stop()
	var measured, reference []float64
	into := func(t *target, list *[]float64) func() error {
		return func() error {
			b.progress.begin("connect", fmt.Sprintf("%d clients, %d rounds done, %s", b.size.OpenConnections, len(*list), t.name), connectTime(b.size.OpenConnections))
			rate, err := b.connectAll(ctx, t)
			*list = append(*list, rate)
			return err
		}
	}
	// The first round of each allocates the memory for so many clients, and does not count.
	if err := alternate(1+connectRounds(b.size), into(baseline, &reference), into(server, &measured)); err != nil {
		return nil, err
	}
	what := fmt.Sprintf("new connections, %s open", grouped(b.size.OpenConnections))
	return []Row{row("connect", what, "/s", measured[1:], "baseline", reference[1:], limit{by: Ratio, bound: 0.8, atLeast: true})}, nil
}

func connectRounds(s Sizes) int { return s.Rounds }

func connectSeconds(s Sizes) float64 {
	return float64(2+2*connectRounds(s)) * connectTime(s.OpenConnections)
}

// connectAll connects all clients and disconnects them. It returns the connections a second.
func (b *bench) connectAll(ctx context.Context, t *target) (float64, error) {
	set := newClientSet(b.loop, dialer{to: t.addr, path: "/", host: t.addr.String()})
	defer set.disconnect()
	took, err := set.connect(ctx, b.size.OpenConnections)
	if err != nil {
		return 0, fmt.Errorf("%s: %w", t.name, err)
	}
	// A reply to all of them shows that they are open.
	if _, err := b.runRound(ctx, t, set, round{count: 1}); err != nil {
		return 0, err
	}
	set.disconnect()
	return float64(b.size.OpenConnections) / took.Seconds(), b.atRest(ctx, t)
}
