package main

import (
	"os"
	"runtime/debug"
	"runtime/metrics"
	"sync"
	"time"
)

const (
	// gcHeadroom is how much garbage the heap may hold whatever is in use. A burst of
	// replies needs about that, however many clients there are.
	gcHeadroom = 8 << 20
	// minGCPercent and maxGCPercent bound the garbage collector's GOGC.
	minGCPercent, maxGCPercent = 50, 100
	// gcInterval is how often what is in use is looked at.
	gcInterval = time.Second
	// minGarbage is what is worth giving back to the system, in bytes.
	minGarbage = 1 << 20
	// minGarbageShare is the part of what is in use that is worth it, where that is more.
	minGarbageShare = 8
	// releaseTimeShare bounds the time of giving back: one part in so many.
	releaseTimeShare = 50
)

// startGCTuner has the garbage collector leave less free where much of the heap is in
// use, and gives memory back to the system while little happens: the room for garbage
// that Go's default leaves grows with the idle clients, and they make none. It leaves
// alone what the user has set with GOGC. The result ends it.
func startGCTuner() (stop func()) {
	if os.Getenv("GOGC") != "" {
		return func() {}
	}
	ended := make(chan struct{})
	var running sync.WaitGroup
	running.Go(func() {
		tick := time.NewTicker(gcInterval)
		defer tick.Stop()
		percent := maxGCPercent
		last := readHeapStats()
		var next time.Time // when memory may be given back again
		for {
			select {
			case <-ended:
				debug.SetGCPercent(maxGCPercent)
				return
			case <-tick.C:
			}
			now := readHeapStats()
			if p := gcPercent(now.live); p != percent {
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

// heapStats is the state of the heap, in bytes.
type heapStats struct {
	live      uint64 // in use, as of the last collection
	objects   uint64 // in use, or garbage
	free      uint64 // not in use, and not given back to the system
	allocated uint64 // ever
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

// garbage is what a collection would give back, about.
func (h heapStats) garbage() uint64 { return h.free + h.objects - min(h.live, h.objects) }

// idleSince reports whether there is garbage to give back that will not be made again
// soon: at the pace since the last look it would take several times as long.
func (h heapStats) idleSince(last heapStats) bool {
	garbage := h.garbage()
	return garbage >= max(minGarbage, h.live/minGarbageShare) && h.allocated-last.allocated < garbage/4
}

// gcPercent is GOGC for so many bytes in use, in steps of ten: a change stops the
// program for a moment.
func gcPercent(live uint64) int {
	percent := int(gcHeadroom * 100 / max(live, 1) / 10 * 10)
	return min(max(percent, minGCPercent), maxGCPercent)
}
