package bench

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"sync"
	"time"
)

// delays are the response times of one client's requests, in milliseconds.
type delays []float64

// add records a response time, and those that requests would have had that could not be sent meanwhile, one each
// interval (coordinated omission).
func (d *delays) add(took, every time.Duration) {
	for ; took > 0; took -= every {
		*d = append(*d, float64(took)/1e6)
	}
}

// probes are the clients that neighbours must not affect: a v1 client and a plain one on each loop of the bridge, and a
// scraper of the metrics.
type probes struct {
	v1, plain []*pinger
	metrics   *scraper
}

func dialProbes(ctx context.Context, t *testbed) (*probes, error) {
	ps := &probes{metrics: newScraper(t.admin)}
	// The bridge assigns new clients to its loops in turn.
	for _, kind := range []*[]*pinger{&ps.v1, &ps.plain} {
		for range runtime.NumCPU() {
			p, err := dialPinger(ctx, t.server, kind == &ps.plain)
			if err != nil {
				ps.close()
				return nil, err
			}
			*kind = append(*kind, p)
		}
	}
	return ps, nil
}

func (ps *probes) close() {
	for _, p := range append(ps.v1, ps.plain...) {
		p.close()
	}
}

// measure has all probes send requests until the context ends.
func (ps *probes) measure(ctx context.Context, limit time.Time) (probeResult, error) {
	var (
		asking sync.WaitGroup
		mu     sync.Mutex // guards w and all
		w      probeResult
		all    error
	)
	watch := func(to *delaySummary, probe func(context.Context, time.Time) (delays, error)) {
		asking.Go(func() {
			found, err := probe(ctx, limit)
			mu.Lock()
			defer mu.Unlock()
			to.merge(found)
			if errors.Is(err, errProbeTimeout) {
				w.timedOut, err = true, nil
			}
			all = errors.Join(all, err)
		})
	}
	for _, p := range ps.v1 {
		watch(&w.v1, p.probe)
	}
	for _, p := range ps.plain {
		watch(&w.plain, p.probe)
	}
	watch(&w.metrics, ps.metrics.probe)
	asking.Wait()
	return w, all
}

// probeResult is what the probes measured.
type probeResult struct {
	v1, plain, metrics delaySummary
	timedOut           bool // a request was unanswered at the end
}

// worstClient returns the maxima of both kinds of clients.
func (w probeResult) worstClient() delaySummary {
	return delaySummary{max(w.v1.p50, w.plain.p50), max(w.v1.p99, w.plain.p99), max(w.v1.max, w.plain.max)}
}

// delaySummary is the response times of the worst client of a kind, in milliseconds.
type delaySummary struct{ p50, p99, max float64 }

func (m *delaySummary) merge(d delays) {
	m.p50 = max(m.p50, percentile(d, 50))
	m.p99 = max(m.p99, percentile(d, 99))
	m.max = max(m.max, percentile(d, 100))
}

func (m delaySummary) String() string {
	return fmt.Sprintf("p50 %s, p99 %s, worst %s", figure(m.p50, "ms"), figure(m.p99, "ms"), figure(m.max, "ms"))
}
