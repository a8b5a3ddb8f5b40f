package bench

import (
	"context"
	"errors"
	"fmt"
	"os"
	"runtime"
	"slices"
	"time"
)

// dialectPair is a system whose dialect the bridge speaks, and the bridge in its place. Both get what the same backend
// publishes, each on channels of its own.
type dialectPair struct {
	name           string
	itself, bridge func(*peersRun, context.Context) (*runningPeer, error)
}

func dialectPairs() []dialectPair {
	return []dialectPair{
		{"SocketShark", (*peersRun).startSocketShark, (*peersRun).startSharkBridge},
	}
}

// Dialects measures the bridge and the systems whose dialects it speaks as [Peers] does, in turns, and a bare loop.
func Dialects(ctx context.Context, cfg PeersConfig) (*DialectsReport, error) {
	if cfg.Sizes.Rounds == 0 {
		cfg.Sizes = FullDialectSizes()
	}
	r := &peersRun{bench: &bench{proc: procfs{"/proc"}}, cfg: cfg, size: cfg.Sizes}
	r.bench.cfg = Config{Program: cfg.Program, Server: cfg.Program}
	for _, load := range r.size.Loads {
		if err := enoughFiles(load.Clients + otherFiles); err != nil {
			return nil, err
		}
	}
	start := time.Now()
	report := &DialectsReport{Time: start.UTC().Truncate(time.Second), CPUs: runtime.NumCPU(), Busy: loadAverage(), Rounds: r.size.Rounds, Versions: cfg.Versions}
	ctx, cancel := context.WithTimeoutCause(ctx, r.size.Longest, errOutOfTime)
	defer cancel()
	defer r.stop()
	if err := r.startPairs(ctx); err != nil {
		return nil, err
	}
	err := r.measureLoads(ctx)
	if err != nil && !errors.Is(err, errOutOfTime) {
		return nil, err
	}
	report.Cut = err != nil
	last := len(r.running) - 1
	report.Bare = *r.running[last].result
	for pair := range slices.Chunk(r.running[:last], 2) {
		report.Systems = append(report.Systems, DialectSystem{Itself: *pair[0].result, Bridge: *pair[1].result})
	}
	report.Took = time.Since(start).Round(time.Second / 10).Seconds()
	return report, nil
}

// startPairs starts all systems, a bridge for each, and a bare loop.
func (r *peersRun) startPairs(ctx context.Context) (err error) {
	if r.loop, err = newClientLoop(); err != nil {
		return err
	}
	if err := r.startBrokers(ctx); err != nil {
		return fmt.Errorf("no broker: %w", err)
	}
	var both []peer
	for _, p := range dialectPairs() {
		both = append(both, peer{name: p.name, start: p.itself}, peer{name: "clu-ws", start: p.bridge})
	}
	return r.startPeers(ctx, append(both, peer{name: "bare write loop", start: (*peersRun).startBareTopics}))
}

// loadAverage returns how many processes wanted the processors in the last minute, or 0.
func loadAverage() (load float64) {
	if text, err := os.ReadFile("/proc/loadavg"); err == nil {
		_, _ = fmt.Sscan(string(text), &load)
	}
	return load
}
