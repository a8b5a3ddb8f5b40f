//go:build unix

package soak

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// sample is what a bridge, or the broker, holds at a check.
type sample struct {
	At          float64 `json:"at"` // seconds since the beginning of the run
	Bridge      string  `json:"bridge"`
	Starts      int     `json:"starts"` // of the bridge
	Goroutines  float64 `json:"goroutines"`
	Descriptors float64 `json:"descriptors"`
	Heap        float64 `json:"heap"` // bytes, after a garbage collection
	RSS         float64 `json:"rss"`
	Groups      float64 `json:"groups"`
	Replies     float64 `json:"history_replies"`
	Queues      int     `json:"queues"` // at the broker
	Exchanges   int     `json:"exchanges"`
}

// bound is by how much something may grow from the first samples of a process to its last ones. Histories fill, and bridges
// that are killed leave an exchange each: these have bounds of their own.
type bound struct {
	what  string
	of    func(sample) float64
	times float64
	more  float64
}

var bounds = []bound{
	{"goroutines", func(s sample) float64 { return s.Goroutines }, 1, 20},
	{"descriptors", func(s sample) float64 { return s.Descriptors }, 1, 20},
	{"bytes of its heap", func(s sample) float64 { return s.Heap }, 1.5, 64 << 20},
	{"bytes in memory", func(s sample) float64 { return s.RSS }, 2, 128 << 20},
	{"groups of subscriptions", func(s sample) float64 { return s.Groups }, 1, 4},
	{"queues at the broker", func(s sample) float64 { return float64(s.Queues) }, 1, 6},
	{"exchanges at the broker", func(s sample) float64 { return float64(s.Exchanges) }, 1, 20},
}

// sample notes what a bridge holds, and compares it with the first sample of the same process.
func (r *run) sample(b *bridgeProcess) {
	if _, err := b.get("/debug/pprof/heap?gc=1"); err != nil {
		r.violate("bridge %s: %v", b.name, err)
		return
	}
	m, err := b.metrics()
	if err != nil {
		r.violate("bridge %s: %v", b.name, err)
		return
	}
	s := sample{
		At: time.Since(r.began).Seconds(), Bridge: b.name, Starts: b.starts, Goroutines: m["go_goroutines"], Descriptors: m["process_open_fds"],
		Heap: m["go_memstats_heap_alloc_bytes"], RSS: m["process_resident_memory_bytes"], Groups: m["cluws_groups"],
		Replies: m["cluws_history_replies"], Queues: len(r.node.Queues(r.t, "/")), Exchanges: r.exchanges(),
	}
	b.samples = append(b.samples, s)
	r.samples = append(r.samples, s)
	for _, wrong := range grown(b.samples) {
		r.violate("bridge %s: %s", b.name, wrong)
	}
}

// grown returns what has grown beyond its bound between the first sample and the last two.
func grown(samples []sample) (wrong []string) {
	if len(samples) < 3 {
		return nil
	}
	first := samples[0]
	for _, bound := range bounds {
		least := min(bound.of(samples[len(samples)-1]), bound.of(samples[len(samples)-2])) // one may be of a moment
		if most := bound.of(first)*bound.times + bound.more; least > most {
			wrong = append(wrong, fmt.Sprintf("has more than %.0f %s, and began with %.0f", most, bound.what, bound.of(first)))
		}
	}
	return wrong
}

// exchanges counts the exchanges at the broker, without those that count how often the stream was deleted.
func (r *run) exchanges() int {
	return len(slices.DeleteFunc(r.node.Exchanges(r.t, "/"), func(name string) bool { return strings.Contains(name, "_generation_") }))
}
