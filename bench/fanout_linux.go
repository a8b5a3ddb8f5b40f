package bench

import (
	"context"
	"fmt"
	"time"
)

// warmUp is what is played before a round is measured: some replies at the same
// pace, or one whole burst.
func (r round) warmUp() round {
	if r.every > 0 {
		r.count = min(r.count, 20)
	}
	return r
}

// fanout is what both took in each round of the same replies to the same
// number of clients.
type fanout struct {
	server, floor []*played
}

// of takes a figure out of rounds.
func of(rounds []*played, figure func(*played) float64) []float64 {
	var values []float64
	for _, p := range rounds {
		values = append(values, figure(p))
	}
	return values
}

// fan plays the rounds to a bridge and to a bare loop, which have as many
// clients each.
func (b *bench) fan(ctx context.Context, scenario string, clients, rounds int, joined bool, r round, seconds float64) (f fanout, err error) {
	b.progress.begin(scenario, fmt.Sprintf("connecting %d clients, twice", clients), connectTime(2*clients))
	server, floor, err := b.pair(ctx, joined)
	if err != nil {
		return f, err
	}
	defer server.stop()
	defer floor.stop()
	return b.take(ctx, scenario, server, floor, clients, rounds, r, seconds)
}

// take plays the rounds to a bridge and to a bare program in turn.
func (b *bench) take(ctx context.Context, scenario string, server, floor *target, clients, rounds int, r round, seconds float64) (f fanout, err error) {
	var crowds [2]*crowd
	for i, t := range []*target{server, floor} {
		if crowds[i], err = b.clients(ctx, t, clients, 0); err != nil {
			return f, err
		}
		defer crowds[i].hangUp()
		if _, err := b.play(ctx, t, crowds[i], r.warmUp()); err != nil {
			return f, err
		}
	}
	stopPerf, err := b.record(scenario, clients, server)
	if err != nil {
		return f, err
	}
	defer stopPerf()
	into := func(t *target, cr *crowd, list *[]*played) func() error {
		return func() error {
			b.progress.begin(scenario, fmt.Sprintf("%d clients, round %d of %d, %s", clients, len(*list)+1, rounds, t.name), seconds)
			p, err := b.play(ctx, t, cr, r)
			*list = append(*list, p)
			return err
		}
	}
	err = alternate(rounds, into(floor, crowds[1], &f.floor), into(server, crowds[0], &f.server))
	return f, err
}

func connectTime(clients int) float64 { return 0.5 + float64(clients)/8000 }

// steady sends one reply at a time.
func (b *bench) steady(ctx context.Context) ([]Row, error) {
	s := b.size
	r := round{count: s.SteadyReplies, every: s.SteadyEvery}
	f, err := b.fan(ctx, "steady", s.Clients, 2*s.Rounds, false, r, r.seconds())
	if err != nil {
		return nil, err
	}
	what := fmt.Sprintf("CPU per delivery, %.0f/s, %s clients", 1/s.SteadyEvery.Seconds(), grouped(s.Clients))
	line := row("steady", what, "us", of(f.server, (*played).perDelivery), "floor", of(f.floor, (*played).perDelivery),
		reach{by: Ratio, bound: 1.10})
	// What else the bare loop's process takes is Go's runtime watching over it,
	// which the server pays too.
	line.Note = fmt.Sprintf("the floor's loop without Go's monitor thread takes %s a delivery", figure(median(of(f.floor, (*played).loopPerDelivery)), "us"))
	return []Row{line}, nil
}

func (r round) seconds() float64 { return (time.Duration(r.count) * r.every).Seconds() + 0.1 }

func steadySeconds(s Sizes) float64 {
	r := round{count: s.SteadyReplies, every: s.SteadyEvery}
	return connectTime(2*s.Clients) + float64(4*s.Rounds)*r.seconds()
}

// bursts sends many replies at once, to the usual number of clients, to few and to many.
func (b *bench) bursts(ctx context.Context) ([]Row, error) {
	s := b.size
	var cpu, rate []Row
	var usual []float64
	for _, clients := range []int{s.Clients, s.Few, s.Many} {
		f, err := b.fan(ctx, "burst", clients, burstRounds(s, clients), true, round{count: s.BurstReplies}, burstTime(s, clients))
		if err != nil {
			return append(cpu, rate...), fmt.Errorf("%d clients: %w", clients, err)
		}
		measured, reference := of(f.server, (*played).perDelivery), of(f.floor, (*played).perDelivery)
		what := fmt.Sprintf("CPU per delivery, burst of %s, %s clients", grouped(s.BurstReplies), grouped(clients))
		switch clients {
		case s.Clients:
			usual = measured
			cpu = append(cpu, row("burst", what, "us", measured, "joined floor", reference, reach{by: Ratio, bound: 1.25}))
		default:
			against := fmt.Sprintf("with %s", grouped(s.Clients))
			cpu = append(cpu, row("burst", what, "us", measured, against, usual, reach{by: Ratio, bound: 1.6}))
		}
		what = fmt.Sprintf("deliveries/s in it, %s clients", grouped(clients))
		rate = append(rate, row("burst", what, "/s", of(f.server, (*played).rate), "joined floor", of(f.floor, (*played).rate),
			reach{by: Ratio, bound: 0.95, atLeast: true}))
	}
	return append(cpu, rate...), nil
}

// burstRounds is more where the bursts are short and noisy.
func burstRounds(s Sizes, clients int) int {
	switch {
	case clients < s.Clients:
		return 4 * s.Rounds
	case clients > s.Clients:
		return s.Rounds
	}
	return 2 * s.Rounds
}

// burstTime is about how many seconds a burst takes.
func burstTime(s Sizes, clients int) float64 {
	return 0.2 + 0.2e-6*float64(clients)*float64(s.BurstReplies)
}

func burstSeconds(s Sizes) (sum float64) {
	for _, clients := range []int{s.Clients, s.Few, s.Many} {
		sum += connectTime(2*clients) + float64(2+2*burstRounds(s, clients))*burstTime(s, clients)
	}
	return sum
}
