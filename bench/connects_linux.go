package bench

import (
	"context"
	"fmt"
)

// connections measures how many new connections a second are accepted and
// answered, all of them held.
func (b *bench) connections(ctx context.Context) ([]Row, error) {
	server, floor, err := b.pair(ctx, false)
	if err != nil {
		return nil, err
	}
	defer server.stop()
	defer floor.stop()
	var measured, reference []float64
	into := func(t *target, list *[]float64) func() error {
		return func() error {
			b.progress.begin("connect", fmt.Sprintf("%d clients, %d rounds done, %s", b.size.Held, len(*list), t.name), connectTime(b.size.Held))
			rate, err := b.connectAll(ctx, t)
			*list = append(*list, rate)
			return err
		}
	}
	// The first round of each makes room for so many clients, and is not counted.
	if err := alternate(1+connectRounds(b.size), into(floor, &reference), into(server, &measured)); err != nil {
		return nil, err
	}
	what := fmt.Sprintf("new connections, %s held", grouped(b.size.Held))
	return []Row{row("connect", what, "/s", measured[1:], "bare loop", reference[1:], reach{by: Ratio, bound: 0.8, atLeast: true})}, nil
}

func connectRounds(s Sizes) int { return s.Rounds }

func connectSeconds(s Sizes) float64 {
	return float64(2+2*connectRounds(s)) * connectTime(s.Held)
}

// connectAll connects all clients and lets them go again. It gives the
// connections a second.
func (b *bench) connectAll(ctx context.Context, t *target) (float64, error) {
	cr := newCrowd(b.swarm, dialer{to: t.addr, path: "/", host: t.addr.String()})
	defer cr.hangUp()
	took, err := cr.connect(ctx, b.size.Held)
	if err != nil {
		return 0, fmt.Errorf("%s: %w", t.name, err)
	}
	// A reply to all of them shows that they are held.
	if _, err := b.play(ctx, t, cr, round{count: 1}); err != nil {
		return 0, err
	}
	cr.hangUp()
	return float64(b.size.Held) / took.Seconds(), b.atRest(ctx, t)
}
