package main

import (
	"os"
	"runtime/debug"
	"runtime/metrics"
	"sync"
	"time"
)

const (
	// collectorRoom is how much garbage the heap may hold whatever is in use. A burst of
	// replies needs about that, however many clients there are.
	collectorRoom = 8 << 20
	// leastPercent and mostPercent bound the garbage collector's GOGC.
	leastPercent, mostPercent = 50, 100
	// collectorEvery is how often what is in use is looked at.
	collectorEvery = time.Second
	// leastGarbage is what is worth giving back to the system, in bytes.
	leastGarbage = 1 << 20
	// garbageShare is the part of what is in use that is worth it, where that is more.
	garbageShare = 8
	// giveBackShare bounds the time of giving back: one part in so many.
	giveBackShare = 50
)

// tuneCollector has the garbage collector leave less free where much of the heap is in
// use, and gives memory back to the system while little happens: the room for garbage
// that Go's default leaves grows with the idle clients, and they make none. It leaves
// alone what the user has set with GOGC. The result ends it.
func tuneCollector() (stop func()) {
	if os.Getenv("GOGC") != "" {
		return func() {}
	}
	ended := make(chan struct{})
	var running sync.WaitGroup
	running.Go(func() {
		tick := time.NewTicker(collectorEvery)
		defer tick.Stop()
		percent := mostPercent
		last := readHeap()
		var next time.Time // when memory may be given back again
		for {
			select {
			case <-ended:
				debug.SetGCPercent(mostPercent)
				return
			case <-tick.C:
			}
			now := readHeap()
			if p := collectorPercent(now.live); p != percent {
				percent = p
				debug.SetGCPercent(percent)
			}
			if start := time.Now(); now.restsSince(last) && start.After(next) {
				debug.FreeOSMemory()
				next = time.Now().Add(giveBackShare * time.Since(start))
			}
			last = now
		}
	})
	return func() {
		close(ended)
		running.Wait()
	}
}

// heap is the state of the heap, in bytes.
type heap struct {
	live      uint64 // in use, as of the last collection
	objects   uint64 // in use, or garbage
	free      uint64 // not in use, and not given back to the system
	allocated uint64 // ever
}

func readHeap() (h heap) {
	into := []*uint64{&h.live, &h.objects, &h.free, &h.allocated}
	samples := []metrics.Sample{{Name: "/gc/heap/live:bytes"}, {Name: "/memory/classes/heap/objects:bytes"},
		{Name: "/memory/classes/heap/free:bytes"}, {Name: "/gc/heap/allocs:bytes"}}
	metrics.Read(samples)
	for i, to := range into {
		*to = samples[i].Value.Uint64()
	}
	return h
}

// garbage is what a collection would give back, about.
func (h heap) garbage() uint64 { return h.free + h.objects - min(h.live, h.objects) }

// restsSince reports whether there is garbage to give back that will not be made again
// soon: at the pace since the last look it would take several times as long.
func (h heap) restsSince(last heap) bool {
	garbage := h.garbage()
	return garbage >= max(leastGarbage, h.live/garbageShare) && h.allocated-last.allocated < garbage/4
}

// collectorPercent is GOGC for so many bytes in use, in steps of ten: a change stops the
// program for a moment.
func collectorPercent(live uint64) int {
	percent := int(collectorRoom * 100 / max(live, 1) / 10 * 10)
	return min(max(percent, leastPercent), mostPercent)
}
