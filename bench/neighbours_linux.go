package bench

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"
)

// Neighbours are clients that are expensive for the bridge. They must not affect others: the measure is how long a probe
// waits for the answer to a ping, first without neighbours and then with them.

// disturbance is what neighbours do.
type disturbance struct {
	name  string // of the scenario
	what  string
	flags []string // of the bridge
	tls   bool     // all clients use TLS
	// prepare runs before anything is measured; it may be nil.
	prepare func(*testbed, context.Context) error
	// disturb returns at its end, or when the context ends.
	disturb func(*testbed, context.Context) error
	goals   []goal
}

// goal is a limit of the probes' response times, in milliseconds.
type goal struct {
	what  string
	of    func(probeResult) float64
	bound float64
}

func maxPingWithin(ms float64) goal {
	return goal{"worst ping", func(w probeResult) float64 { return w.worstClient().max }, ms}
}

func metricsWithin(ms float64) goal {
	return goal{"slowest /metrics", func(w probeResult) float64 { return w.metrics.max }, ms}
}

func medianPingWithin(ms float64) goal {
	return goal{"median ping", func(w probeResult) float64 { return w.worstClient().p50 }, ms}
}

func neighbourScenarios() []scenario {
	var all []scenario
	for _, d := range disturbances() {
		all = append(all, scenario{
			name:    d.name,
			run:     func(b *bench, ctx context.Context) ([]Row, error) { return b.neighbours(ctx, d) },
			files:   func(Sizes) int { return 200 },
			seconds: neighbourSeconds,
		})
	}
	return all
}

// measureAfter is how long the probes measure after the disturbance.
const measureAfter = 250 * time.Millisecond

// neighbourRounds returns how often a disturbance is measured, each time on a fresh bridge.
func neighbourRounds(s Sizes) int { return min(s.Rounds, 3) }

func neighbourSeconds(s Sizes) float64 {
	return float64(neighbourRounds(s)) * (s.BaselineFor + s.DisturbFor + time.Second).Seconds()
}

// farOffFactor is the factor of a missed goal at which one round is enough.
const farOffFactor = 10

// neighbours measures how a disturbance affects the probes.
func (b *bench) neighbours(ctx context.Context, d disturbance) ([]Row, error) {
	var with, without []probeResult
	note := ""
	for i := range neighbourRounds(b.size) {
		b.progress.begin(d.name, fmt.Sprintf("%s, %d rounds done", d.what, i), neighbourSeconds(b.size)/float64(neighbourRounds(b.size)))
		start := time.Now()
		alone, beside, roundNote, err := b.neighbourRound(ctx, d)
		if err != nil {
			return nil, err
		}
		without, with, note = append(without, alone), append(with, beside), roundNote
		if d.isFarOff(beside) || time.Since(start) > b.size.MaxRound/2 {
			break // another round would change nothing, or take too long
		}
	}
	var rows []Row
	for _, g := range d.goals {
		measured := make([]float64, len(with))
		reference := make([]float64, len(with))
		for i := range with {
			measured[i], reference[i] = g.of(with[i]), g.of(without[i])
		}
		r := row(d.name, g.what+", "+d.what, "ms", measured, "no neighbours", reference, limit{by: Value, bound: g.bound})
		rows = append(rows, r)
	}
	rows[0].Note = note
	return rows, nil
}

func (d *disturbance) isFarOff(w probeResult) bool {
	for _, g := range d.goals {
		if g.of(w) > farOffFactor*g.bound {
			return true
		}
	}
	return false
}

// neighbourRound measures once, and returns the result as text too.
func (b *bench) neighbourRound(ctx context.Context, d disturbance) (alone, beside probeResult, note string, err error) {
	folder, err := os.MkdirTemp("", "clu-ws-bench-")
	if err != nil {
		return alone, beside, "", err
	}
	defer os.RemoveAll(folder)
	t, err := b.newTestbed(ctx, folder, d.tls, d.flags...)
	if err != nil {
		return alone, beside, "", err
	}
	defer t.stop()
	if d.prepare != nil {
		if err := d.prepare(t, ctx); err != nil {
			return alone, beside, "", err
		}
	}
	if t.probes, err = dialProbes(ctx, t); err != nil {
		return alone, beside, "", err
	}
	if alone, err = t.measureBaseline(ctx); err != nil {
		return alone, beside, "", err
	}
	start := time.Now()
	beside, err = t.measureDisturbed(ctx, d.disturb)
	if ctx.Err() != nil {
		return alone, beside, "", context.Cause(ctx)
	}
	note = fmt.Sprintf("v1 %v; plain %v; /metrics %v; within %.1f s", beside.v1, beside.plain, beside.metrics, time.Since(start).Seconds())
	if beside.timedOut {
		note += "; " + errProbeTimeout.Error()
	}
	if t.disconnected > 0 {
		note += fmt.Sprintf("; the bridge disconnected %d neighbours", t.disconnected)
	}
	return alone, beside, note, err
}

// measureBaseline measures the probes without neighbours.
func (t *testbed) measureBaseline(ctx context.Context) (probeResult, error) {
	ctx, cancel := context.WithTimeout(ctx, t.size.BaselineFor)
	defer cancel()
	return t.probes.measure(ctx, time.Now().Add(patience))
}

// measureDisturbed measures the probes during a disturbance.
func (t *testbed) measureDisturbed(ctx context.Context, disturb func(*testbed, context.Context) error) (probeResult, error) {
	limit := time.Now().Add(t.size.MaxRound)
	doing, stop := context.WithDeadline(ctx, limit)
	defer stop()
	pinging, enough := context.WithCancel(ctx)
	defer enough()
	disturbed := make(chan error, 1)
	go func() {
		err := disturb(t, doing)
		if err == nil && doing.Err() == nil {
			time.Sleep(measureAfter)
		}
		enough()
		disturbed <- err
	}()
	found, err := t.probes.measure(pinging, limit)
	stop()
	if disturbErr := <-disturbed; disturbErr != nil && !errors.Is(disturbErr, context.DeadlineExceeded) {
		err = errors.Join(err, fmt.Errorf("the disturbance failed: %w", disturbErr))
	}
	return found, err
}
