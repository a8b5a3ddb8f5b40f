package bench

import (
	"context"
	"fmt"
	"time"
)

// batch is how long the clients of the batch scenario let the bridge delay replies.
const batch = 100 * time.Millisecond

// batchPaces are the intervals of its replies, and the goal for each: the CPU time of a delivery against that of a
// baseline that writes each reply alone. The bridge needs one write for each batch: for every third reply at 25 a
// second, for every eleventh at 100.
func batchPaces() []struct {
	every time.Duration
	goal  float64
} {
	return []struct {
		every time.Duration
		goal  float64
	}{{time.Second / 25, 0.5}, {time.Second / 100, 0.15}}
}

// batched measures the cost of a delivery to clients that accept batches.
func (b *bench) batched(ctx context.Context) ([]Row, error) {
	n := b.size.Clients
	server, baseline, err := b.pair(ctx, false)
	if err != nil {
		return nil, err
	}
	defer server.stop()
	defer baseline.stop()
	batching, err := b.batchClients(ctx, server, n)
	if err != nil {
		return nil, err
	}
	defer batching.disconnect()
	bare, err := b.clients(ctx, baseline, n, 0)
	if err != nil {
		return nil, err
	}
	defer bare.disconnect()
	var rows []Row
	for _, pace := range batchPaces() {
		r := round{count: max(1, int(b.size.BatchFor/pace.every)), every: pace.every}
		line, err := b.batchRow(ctx, r, pace.goal, server, baseline, batching, bare)
		if err != nil {
			return rows, err
		}
		rows = append(rows, line)
	}
	return rows, nil
}

// batchRow measures one pace. The baseline is also measured while it writes as rarely as the bridge: a write to a socket
// that was idle costs more than one to a socket that is still in the caches, and no program can avoid that.
func (b *bench) batchRow(ctx context.Context, r round, bound float64, server, baseline *target, batching, bare *clientSet) (Row, error) {
	var with, without, rareRounds []*roundResult
	into := func(t *target, set *clientSet, r round, list *[]*roundResult) func() error {
		return func() error {
			b.progress.begin("batch", fmt.Sprintf("round %d of %d, %s", len(*list)+1, b.size.Rounds, t.name), r.seconds())
			p, err := b.runRound(ctx, t, set, r)
			*list = append(*list, p)
			return err
		}
	}
	stopPerf, err := b.record(fmt.Sprintf("batch-%.0f", 1/r.every.Seconds()), b.size.Clients, server)
	if err != nil {
		return Row{}, err
	}
	defer stopPerf()
	timed := r
	timed.timed = true
	together := int(batch/r.every) + 1 // replies in one write
	rare := round{count: max(1, r.count/together), every: r.every * time.Duration(together)}
	often, rarely := into(baseline, bare, r, &without), into(baseline, bare, rare, &rareRounds)
	reference := func() error {
		if err := often(); err != nil {
			return err
		}
		return rarely()
	}
	if err := alternate(b.size.Rounds, reference, into(server, batching, timed, &with)); err != nil {
		return Row{}, err
	}
	what := fmt.Sprintf("CPU per delivery, %.0f/s, %s clients with a batch of %v", 1/r.every.Seconds(), grouped(b.size.Clients), batch)
	line := row("batch", what, "us", of(with, (*roundResult).perDelivery), "baseline", of(without, (*roundResult).perDelivery), limit{by: Ratio, bound: bound})
	latency := func(percent float64) float64 {
		return median(of(with, func(p *roundResult) float64 { return float64(percentile(p.Latency, percent)) / 1e6 }))
	}
	line.Note = fmt.Sprintf("a reply arrived after %s, p50, and %s, p99; a baseline with one write for %d replies takes %s for each of them",
		figure(latency(50), "ms"), figure(latency(99), "ms"), together, figure(median(of(rareRounds, (*roundResult).perDelivery))/float64(together), "us"))
	return line, nil
}

// batchClients connects clients that accept batches.
func (b *bench) batchClients(ctx context.Context, t *target, n int) (*clientSet, error) {
	b.progress.begin("batch", fmt.Sprintf("connecting %d clients, twice", n), connectTime(2*n))
	set := newClientSet(b.loop, dialer{to: t.addr, path: fmt.Sprintf("/?batch_ms=%d", batch.Milliseconds()), host: t.addr.String()})
	_, err := set.connect(ctx, n)
	if err == nil {
		err = set.awaitUnnumbered(ctx, n) // the hellos, after which they get every reply
	}
	if err != nil {
		set.disconnect()
		return nil, fmt.Errorf("%s: %w", t.name, err)
	}
	return set, nil
}

func batchSeconds(s Sizes) float64 {
	sum := connectTime(2 * s.Clients)
	for range batchPaces() {
		sum += float64(3*s.Rounds) * (s.BatchFor.Seconds() + 0.2)
	}
	return sum
}
