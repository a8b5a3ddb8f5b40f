package bench

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"sync"
	"time"
)

// delays are those of the requests of one client, in milliseconds.
type delays []float64

// add notes a delay, and those of the requests that could not be sent meanwhile, one each
// interval: what they would have taken. Without them a server that stands still would
// be measured only when it goes on.
func (d *delays) add(took, every time.Duration) {
	for ; took > 0; took -= every {
		*d = append(*d, float64(took)/1e6)
	}
}

// honest are those who must not notice their neighbours: on each loop of the bridge a
// client that speaks v1 and a plain one, and who reads the metrics.
type honest struct {
	v1, plain []*pinger
	metrics   *scraper
}

func dialHonest(ctx context.Context, t *testbed) (*honest, error) {
	h := &honest{metrics: newScraper(t.admin)}
	// New clients come to the loops in turn.
	for _, kind := range []*[]*pinger{&h.v1, &h.plain} {
		for range runtime.NumCPU() {
			p, err := dialPinger(ctx, t.server, kind == &h.plain)
			if err != nil {
				h.close()
				return nil, err
			}
			*kind = append(*kind, p)
		}
	}
	return h, nil
}

func (h *honest) close() {
	for _, p := range append(h.v1, h.plain...) {
		p.close()
	}
}

// watch has all of them ask until the context ends.
func (h *honest) watch(ctx context.Context, limit time.Time) (watched, error) {
	var (
		asking sync.WaitGroup
		mu     sync.Mutex // guards w and all
		w      watched
		all    error
	)
	watch := func(to *met, probe func(context.Context, time.Time) (delays, error)) {
		asking.Go(func() {
			found, err := probe(ctx, limit)
			mu.Lock()
			defer mu.Unlock()
			to.worse(found)
			if errors.Is(err, errOver) {
				w.over, err = true, nil
			}
			all = errors.Join(all, err)
		})
	}
	for _, p := range h.v1 {
		watch(&w.v1, p.probe)
	}
	for _, p := range h.plain {
		watch(&w.plain, p.probe)
	}
	watch(&w.metrics, h.metrics.probe)
	asking.Wait()
	return w, all
}

// watched is what they met.
type watched struct {
	v1, plain, metrics met
	over               bool // somebody had no answer when the watch was over
}

// clients is the worse of the clients of both kinds.
func (w watched) clients() met {
	return met{max(w.v1.p50, w.plain.p50), max(w.v1.p99, w.plain.p99), max(w.v1.worst, w.plain.worst)}
}

// met is what the one of a kind met who fared worst, in milliseconds.
type met struct{ p50, p99, worst float64 }

func (m *met) worse(d delays) {
	m.p50 = max(m.p50, percentile(d, 50))
	m.p99 = max(m.p99, percentile(d, 99))
	m.worst = max(m.worst, percentile(d, 100))
}

func (m met) String() string {
	return fmt.Sprintf("p50 %s, p99 %s, worst %s", figure(m.p50, "ms"), figure(m.p99, "ms"), figure(m.worst, "ms"))
}
