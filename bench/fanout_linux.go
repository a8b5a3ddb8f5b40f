package bench

import (
	"context"
	"fmt"
	"time"
)

// warmUp returns the round to run before one that is measured: some replies at the same pace, or a whole burst.
func (r round) warmUp() round {
	if r.every > 0 {
		r.count = min(r.count, 20)
	}
	return r
}

// fanout is the rounds of both targets with the same replies and number of clients.
type fanout struct {
	server, baseline []*roundResult
}

// of extracts a figure from rounds.
func of(rounds []*roundResult, figure func(*roundResult) float64) []float64 {
	var values []float64
	for _, p := range rounds {
		values = append(values, figure(p))
	}
	return values
}

// runPair runs the rounds on a bridge and on a baseline with as many clients.
func (b *bench) runPair(ctx context.Context, scenario string, clients, rounds int, coalesced bool, r round, seconds float64) (f fanout, err error) {
	b.progress.begin(scenario, fmt.Sprintf("connecting %d clients, twice", clients), connectTime(2*clients))
	server, baseline, err := b.pair(ctx, coalesced)
	if err != nil {
		return f, err
	}
	defer server.stop()
	defer baseline.stop()
	return b.runTargets(ctx, scenario, server, baseline, clients, rounds, r, seconds)
}

// runTargets runs the rounds on a bridge and on a bare program in turn.
func (b *bench) runTargets(ctx context.Context, scenario string, server, baseline *target, clients, rounds int, r round, seconds float64) (f fanout, err error) {
	var sets [2]*clientSet
	for i, t := range []*target{server, baseline} {
		if sets[i], err = b.clients(ctx, t, clients, 0); err != nil {
			return f, err
		}
		defer sets[i].disconnect()
		if _, err := b.runRound(ctx, t, sets[i], r.warmUp()); err != nil {
			return f, err
		}
	}
	stopPerf, err := b.record(scenario, clients, server)
	if err != nil {
		return f, err
	}
	defer stopPerf()
	into := func(t *target, set *clientSet, list *[]*roundResult) func() error {
		return func() error {
			b.progress.begin(scenario, fmt.Sprintf("%d clients, round %d of %d, %s", clients, len(*list)+1, rounds, t.name), seconds)
			p, err := b.runRound(ctx, t, set, r)
			*list = append(*list, p)
			return err
		}
	}
	err = alternate(rounds, into(baseline, sets[1], &f.baseline), into(server, sets[0], &f.server))
	return f, err
}

func connectTime(clients int) float64 { return 0.5 + float64(clients)/8000 }

// steady measures one reply at a time.
func (b *bench) steady(ctx context.Context) ([]Row, error) {
	s := b.size
	r := round{count: s.SteadyReplies, every: s.SteadyEvery}
	f, err := b.runPair(ctx, "steady", s.Clients, 2*s.Rounds, false, r, r.seconds())
	if err != nil {
		return nil, err
	}
	what := fmt.Sprintf("CPU per delivery, %.0f/s, %s clients", 1/s.SteadyEvery.Seconds(), grouped(s.Clients))
	line := row("steady", what, "us", of(f.server, (*roundResult).perDelivery), "baseline", of(f.baseline, (*roundResult).perDelivery),
		limit{by: Ratio, bound: 1.10})
	// The rest of the baseline's process is Go's runtime, which the server has too.
	line.Note = fmt.Sprintf("the baseline without Go's monitor thread takes %s a delivery", figure(median(of(f.baseline, (*roundResult).loopPerDelivery)), "us"))
	return []Row{line}, nil
}

func (r round) seconds() float64 { return (time.Duration(r.count) * r.every).Seconds() + 0.1 }

func steadySeconds(s Sizes) float64 {
	r := round{count: s.SteadyReplies, every: s.SteadyEvery}
	return connectTime(2*s.Clients) + float64(4*s.Rounds)*r.seconds()
}

// bursts measures many replies at once, to the usual number of clients, to few and to many.
func (b *bench) bursts(ctx context.Context) ([]Row, error) {
	s := b.size
	var cpu, rate []Row
	var usual []float64
	for _, clients := range []int{s.Clients, s.Few, s.Many} {
		f, err := b.runPair(ctx, "burst", clients, burstRounds(s, clients), true, round{count: s.BurstReplies}, burstTime(s, clients))
		if err != nil {
			return append(cpu, rate...), fmt.Errorf("%d clients: %w", clients, err)
		}
		measured, reference := of(f.server, (*roundResult).perDelivery), of(f.baseline, (*roundResult).perDelivery)
		what := fmt.Sprintf("CPU per delivery, burst of %s, %s clients", grouped(s.BurstReplies), grouped(clients))
		switch clients {
		case s.Clients:
			usual = measured
			cpu = append(cpu, row("burst", what, "us", measured, "coalesced baseline", reference, limit{by: Ratio, bound: 1.25}))
		default:
			against := fmt.Sprintf("with %s", grouped(s.Clients))
			cpu = append(cpu, row("burst", what, "us", measured, against, usual, limit{by: Ratio, bound: 1.6}))
		}
		what = fmt.Sprintf("deliveries/s in the burst, %s clients", grouped(clients))
		rate = append(rate, row("burst", what, "/s", of(f.server, (*roundResult).rate), "coalesced baseline", of(f.baseline, (*roundResult).rate),
			limit{by: Ratio, bound: 0.95, atLeast: true}))
	}
	return append(cpu, rate...), nil
}

// burstRounds returns more rounds for short bursts, which are noisy.
func burstRounds(s Sizes, clients int) int {
	switch {
	case clients < s.Clients:
		return 4 * s.Rounds
	case clients > s.Clients:
		return s.Rounds
	}
	return 2 * s.Rounds
}

// burstTime is the approximate duration of a burst in seconds.
func burstTime(s Sizes, clients int) float64 {
	return 0.2 + 0.2e-6*float64(clients)*float64(s.BurstReplies)
}

func burstSeconds(s Sizes) (sum float64) {
	for _, clients := range []int{s.Clients, s.Few, s.Many} {
		sum += connectTime(2*clients) + float64(2+2*burstRounds(s, clients))*burstTime(s, clients)
	}
	return sum
}
