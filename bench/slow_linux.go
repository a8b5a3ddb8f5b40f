package bench

import (
	"context"
	"fmt"
	"runtime"
)

// logBytes is what the server keeps for slow clients on each of its loops, one for each processor, by default.
const logBytes = 16 << 20

// slow measures how clients that read nothing affect the others and the server's memory.
func (b *bench) slow(ctx context.Context) ([]Row, error) {
	s := b.size
	server, err := b.server(ctx)
	if err != nil {
		return nil, err
	}
	defer server.stop()
	b.progress.begin("slow", fmt.Sprintf("connecting %d clients", s.Many), connectTime(s.Many))
	set, err := b.clients(ctx, server, s.Many, s.SlowClients)
	if err != nil {
		return nil, err
	}
	defer set.disconnect()
	r := round{count: s.SlowReplies, every: s.SlowEvery, timed: true}
	if _, err := b.runRound(ctx, server, set, r.warmUp()); err != nil {
		return nil, err
	}
	var with, without slowRounds
	if err := alternate(slowRoundsOf(s), func() error {
		b.progress.begin("slow", "all clients read", r.seconds())
		return b.slowRound(ctx, server, set, r, 0, &without)
	}, func() error {
		b.progress.begin("slow", fmt.Sprintf("%d read nothing", s.SlowClients), r.seconds())
		return b.slowRound(ctx, server, set, r, s.SlowClients, &with)
	}); err != nil {
		return nil, err
	}
	what := fmt.Sprintf("%d of %s clients read nothing, %.0f/s: ", s.SlowClients, grouped(s.Many), 1/r.every.Seconds())
	bound := float64(logBytes * runtime.NumCPU() >> 20)
	return []Row{
		row("slow", what+"p99 of the others", "ms", with.p99, "all read", without.p99, limit{by: Ratio, bound: 2}),
		row("slow", what+"server RSS", "MiB", with.rss, "all read", without.rss, limit{by: Difference, bound: bound}),
	}, nil
}

func slowRoundsOf(s Sizes) int { return (s.Rounds + 1) / 2 }

func slowSeconds(s Sizes) float64 {
	r := round{count: s.SlowReplies, every: s.SlowEvery}
	return connectTime(s.Many) + float64(2*slowRoundsOf(s))*(r.seconds()+1)
}

// slowRounds is the results of rounds of one kind.
type slowRounds struct{ p99, rss []float64 }

// slowRound runs a round while some clients do not read, then lets them catch up: they must not miss anything either,
// unless the server has closed them because they were too slow.
func (b *bench) slowRound(ctx context.Context, server *target, set *clientSet, r round, slow int, into *slowRounds) error {
	set.pauseReading(slow)
	p, err := b.runRound(ctx, server, set, r)
	if err != nil {
		return err
	}
	rss, err := b.proc.rss(server.pid)
	if err != nil {
		return err
	}
	into.p99 = append(into.p99, float64(percentile(p.Latency, 99))/1e6)
	into.rss = append(into.rss, float64(rss)/(1<<20))
	set.resumeReading()
	a, err := set.await(ctx, patience)
	if err != nil {
		return err
	}
	if err := a.err(); err != nil {
		return fmt.Errorf("after they read again: %w", err)
	}
	return nil
}
