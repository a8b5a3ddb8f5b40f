package bench

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"sync"
	"time"
)

// delays are the delays of one client's requests, in milliseconds.
type delays []float64

// add notes a delay, and the delays that requests would have had that could not be sent
// meanwhile, one each interval (coordinated omission).
func (d *delays) add(took, every time.Duration) {
	for ; took > 0; took -= every {
		*d = append(*d, float64(took)/1e6)
	}
}

// honest are the clients that must not notice their neighbours: a v1 client and a plain
// one on each loop of the bridge, and a metrics scraper.
type honest struct {
	v1, plain []*pinger
	metrics   *scraper
}

func dialHonest(ctx context.Context, t *testbed) (*honest, error) {
	h := &honest{metrics: newScraper(t.admin)}
	// The bridge gives new clients to its loops in turn.
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

// watch has all of them send requests until the context ends.
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

// watched is the result of a watch.
type watched struct {
	v1, plain, metrics met
	over               bool // a request was unanswered when the watch ended
}

// clients returns the worse of both kinds of clients.
func (w watched) clients() met {
	return met{max(w.v1.p50, w.plain.p50), max(w.v1.p99, w.plain.p99), max(w.v1.worst, w.plain.worst)}
}

// met has the delays of the worst client of a kind, in milliseconds.
type met struct{ p50, p99, worst float64 }

func (m *met) worse(d delays) {
	m.p50 = max(m.p50, percentile(d, 50))
	m.p99 = max(m.p99, percentile(d, 99))
	m.worst = max(m.worst, percentile(d, 100))
}

func (m met) String() string {
	return fmt.Sprintf("p50 %s, p99 %s, worst %s", figure(m.p50, "ms"), figure(m.p99, "ms"), figure(m.worst, "ms"))
}
