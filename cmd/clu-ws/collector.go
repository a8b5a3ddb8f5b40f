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
)

// tuneCollector has the garbage collector leave less free where much of the heap is in
// use: the room for garbage that Go's default leaves grows with the idle clients, and
// they make none. It leaves alone what the user has set with GOGC. The result ends it.
func tuneCollector() (stop func()) {
	if os.Getenv("GOGC") != "" {
		return func() {}
	}
	ended := make(chan struct{})
	var running sync.WaitGroup
	running.Go(func() {
		tick := time.NewTicker(collectorEvery)
		defer tick.Stop()
		live := []metrics.Sample{{Name: "/gc/heap/live:bytes"}}
		percent := mostPercent
		for {
			select {
			case <-ended:
				debug.SetGCPercent(mostPercent)
				return
			case <-tick.C:
			}
			metrics.Read(live)
			if next := collectorPercent(live[0].Value.Uint64()); next != percent {
				percent = next
				debug.SetGCPercent(percent)
			}
		}
	})
	return func() {
		close(ended)
		running.Wait()
	}
}

// collectorPercent is GOGC for so many bytes in use, in steps of ten: a change stops the
// program for a moment.
func collectorPercent(live uint64) int {
	percent := int(collectorRoom * 100 / max(live, 1) / 10 * 10)
	return min(max(percent, leastPercent), mostPercent)
}
