package gctuner

import (
	"os"
	"runtime/debug"
	"runtime/metrics"
	"sync"
	"time"
)

const (
	// headroom is how much garbage, in bytes, the heap may hold however large it is. A
	// burst of replies needs about that much, whatever the number of clients.
	headroom = 8 << 20
	// minPercent and maxPercent bound GOGC.
	minPercent, maxPercent = 50, 100
	// interval is how often the heap is checked.
	interval = time.Second
	// minGarbage is the least amount that is given back to the system, in bytes.
	minGarbage = 1 << 20
	// minGarbageShare is the least share of the memory in use that is given back: one
	// part in this number.
	minGarbageShare = 8
	// releaseTimeShare bounds the time spent on giving memory back: one part in this
	// number.
	releaseTimeShare = 50
)

// Start tunes the garbage collector until stop is called. It does nothing if the
// environment sets GOGC.
func Start() (stop func()) {
	if os.Getenv("GOGC") != "" {
		return func() {}
	}
	ended := make(chan struct{})
	var running sync.WaitGroup
	running.Go(func() {
		tick := time.NewTicker(interval)
		defer tick.Stop()
		percent := maxPercent
		last := readHeapStats()
		var next time.Time // when memory may be given back again
		for {
			select {
			case <-ended:
				debug.SetGCPercent(maxPercent)
				return
			case <-tick.C:
			}
			now := readHeapStats()
			if p := percentFor(now.live); p != percent {
				percent = p
				debug.SetGCPercent(percent)
			}
			if start := time.Now(); now.idleSince(last) && start.After(next) {
				debug.FreeOSMemory()
				next = time.Now().Add(releaseTimeShare * time.Since(start))
			}
			last = now
		}
	})
	return func() {
		close(ended)
		running.Wait()
	}
}

// heapStats are sizes of the heap, in bytes.
type heapStats struct {
	live      uint64 // in use, at the last collection
	objects   uint64 // in use or garbage
	free      uint64 // not in use, and not given back to the system
	allocated uint64 // in all
}

func readHeapStats() (h heapStats) {
	into := []*uint64{&h.live, &h.objects, &h.free, &h.allocated}
	samples := []metrics.Sample{{Name: "/gc/heap/live:bytes"}, {Name: "/memory/classes/heap/objects:bytes"},
		{Name: "/memory/classes/heap/free:bytes"}, {Name: "/gc/heap/allocs:bytes"}}
	metrics.Read(samples)
	for i, to := range into {
		*to = samples[i].Value.Uint64()
	}
	return h
}

// garbage estimates what a collection could give back.
func (h heapStats) garbage() uint64 { return h.free + h.objects - min(h.live, h.objects) }

// idleSince reports whether there is enough garbage to give back, and little was made since
// the last check.
func (h heapStats) idleSince(last heapStats) bool {
	garbage := h.garbage()
	return garbage >= max(minGarbage, h.live/minGarbageShare) && h.allocated-last.allocated < garbage/4
}

// percentFor returns GOGC for a number of bytes in use, in steps of ten: each change
// stops the program for a moment.
func percentFor(live uint64) int {
	percent := int(headroom * 100 / max(live, 1) / 10 * 10)
	return min(max(percent, minPercent), maxPercent)
}
